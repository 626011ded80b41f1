"""HW502: a route verifies, does little, and leaves files to upload URLs. Warnings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from headwater.check.facts import Facts
from headwater.check.nodes import walk
from headwater.check.project import FunctionInfo
from headwater.check.routes import handlers
from headwater.rules import Finding

_VERIFIES = re.compile(r"verif|signature|signed|hmac|compare_digest|construct_event|svix|secret")
_UPLOADS = {"fastapi.UploadFile", "starlette.datastructures.UploadFile"}
_UPLOAD_FIX = (
    "let the client upload to a URL: url = await ctx.storage.generate_upload_url() in a mutation,\n"
    "then pass the storage id on; or store the body: await ctx.storage.store(await request.body())"
)


def check_webhooks(facts: Facts) -> list[Finding]:
    """Findings of the handlers in backend/routes.py."""
    module = facts.project.modules.get("backend.routes")
    if module is None:
        return []
    found: list[Finding] = []
    for decorator, name in handlers(facts.project, module):
        function = facts.project.functions.get(f"{module.name}.{name}")
        if function is not None:
            found += _webhook(facts, function, decorator)
            found += _uploads(facts, function)
            found += _writes(facts, function)
    return found


def _webhook(facts: Facts, function: FunctionInfo, decorator: ast.expr) -> Iterator[Finding]:
    """A POST that calls itself a webhook, where nothing looks like a signature."""
    call = decorator if isinstance(decorator, ast.Call) else None
    path = call.args[0] if call and call.args else None
    is_post = call is not None and isinstance(call.func, ast.Attribute) and call.func.attr == "post"
    text = path.value if isinstance(path, ast.Constant) else ""
    if not (is_post and isinstance(text, str) and "hook" in text):
        return
    if not any(_verifies(step) for step in _steps(facts, function)):
        what = f"{function.node.name} takes a webhook from anybody"
        fix = (
            "compare a signature of the raw body before anything else:\n"
            "hmac.compare_digest(sent, hmac.new(secret, body, sha256).hexdigest())"
        )
        yield facts.finding("HW502", what, function, function.node, fix=fix)


def _steps(facts: Facts, function: FunctionInfo) -> Iterator[FunctionInfo]:
    waiting, seen = [function], {function.qualname}
    while waiting:
        current = waiting.pop(0)
        yield current
        for _, helper in facts.helpers(current):
            if helper.qualname not in seen:
                seen.add(helper.qualname)
                waiting.append(helper)


def _verifies(function: FunctionInfo) -> bool:
    names = (
        getattr(node, "attr", None) or getattr(node, "id", None) or getattr(node, "arg", None) or ""
        for node in walk(function.node)
    )
    return any(_VERIFIES.search(name.lower()) for name in names if isinstance(name, str))


def _uploads(facts: Facts, function: FunctionInfo) -> Iterator[Finding]:
    args = function.node.args
    for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs):
        annotation = arg.annotation
        kind = annotation and facts.project.type_origin(annotation, function.module)
        if kind in _UPLOADS:
            what = f"{function.node.name} parses a multipart form for {arg.arg}"
            why = "the server would hold and parse what a client can store by itself"
            yield facts.finding("HW502", what, function, arg, why=why, fix=_UPLOAD_FIX)


def _writes(facts: Facts, function: FunctionInfo) -> Iterator[Finding]:
    contexts = facts.contexts(function)
    calls = [c for c in function.scope.calls if contexts.path(c.func) == ("run_mutation",)]
    if len(calls) > 1 and not _in_branches(function, calls):
        what = f"{function.node.name} writes by {len(calls)} mutations"
        why = "if a later one fails, the first ones have happened, and the sender tries again"
        fix = "treat the body as unknown, and hand it to one @internal_mutation that does it all"
        yield facts.finding("HW502", what, function, calls[1], why=why, fix=fix)


def _in_branches(function: FunctionInfo, calls: list[ast.Call]) -> bool:
    """True when the calls do not stand one after the other in one block."""
    for node in walk(function.node):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if not isinstance(block, list):
                continue
            direct = [s for s in block if isinstance(s, ast.Expr | ast.Assign)]
            inside = [c for s in direct for c in walk(s) if any(c is call for call in calls)]
            if len(inside) > 1:
                return False
    return True
