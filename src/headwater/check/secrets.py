"""HW503: settings are declared, secrets stand in no code and in no log."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from headwater.check.facts import Facts
from headwater.check.nodes import walk
from headwater.check.project import FunctionInfo, Module
from headwater.rules import Finding

_HOME = "backend.settings"
_READERS = {"os.getenv", "os.environ.get", "dotenv.load_dotenv", "decouple.config"}
_LOGS = re.compile(
    r"builtins\.print|logging\.(debug|info|warning|error|exception|critical)"
    r"|logging\.getLogger\(\)\.(debug|info|warning|error|exception|critical)"
)
_KEY = re.compile(
    r"sk-ant-[\w-]{24,}|sk-proj-[\w-]{24,}|sk-[A-Za-z0-9]{40,}|[sr]k_live_[A-Za-z0-9]{16,}"
    r"|whsec_[A-Za-z0-9+/]{24,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}"
    r"|github_pat_\w{30,}|xox[abp]-[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}|AIza[\w-]{35}"
    r"|-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY-----\n"
)
_KEY_MARKS = (
    *("sk-", "k_live_", "whsec_", "AKIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    *("github_pat_", "xoxa-", "xoxb-", "xoxp-", "SG.", "AIza", "PRIVATE KEY"),
)
"""A key holds one of these: to look for them is ten times as fast as for the keys."""

_ENVIRONMENT = re.compile(r"environ\b|getenv|dotenv|decouple")
_WHY = "a setting that is declared is checked at the start, and redacted in logs"
_FIX = (
    "declare it in backend/settings.py: class Settings(headwater.Settings): api_key: SecretStr\n"
    "and read it in a function as ctx.env(Settings).api_key"
)


def check_secrets(facts: Facts) -> list[Finding]:
    """Findings about the environment, about keys in the code, and about secrets in logs."""
    found: list[Finding] = []
    for module in facts.project.modules.values():
        text = module.source.text
        if module.name != _HOME and _reads_environment(text):
            found += _environment(facts, module)
        if any(mark in text for mark in _KEY_MARKS) and _KEY.search(text):
            found += _keys(facts, module)
    for function in facts.project.functions.values():
        if "get_secret_value" in function.module.source.text:
            found += _logged(facts, function)
    return found


def _reads_environment(text: str) -> bool:
    return _ENVIRONMENT.search(text) is not None


def _environment(facts: Facts, module: Module) -> Iterator[Finding]:
    inside = [f for f in facts.project.functions.values() if f.module is module]
    for function in inside:
        for node in walk(function.node):
            name = _environment_name(node, lambda expr, f=function: facts.origin(expr, f))
            if name and isinstance(node, ast.expr):
                yield facts.finding("HW503", f"reads {name}", function, node, why=_WHY, fix=_FIX)
    nested = {id(node) for function in inside for node in walk(function.node)}
    for node in walk(module.source.tree):
        if id(node) in nested or not isinstance(node, ast.expr):
            continue
        name = _environment_name(node, lambda expr: facts.project.origin(expr, module) or "")
        if name:
            fix = _FIX.replace("in a function as ctx.env(Settings)", "here as Settings()")
            what = f"reads {name}"
            yield facts.finding("HW503", what, module, node, why=_WHY, fix=fix, severity="warning")


def _environment_name(node: ast.AST, origin: object) -> str:
    """`os.environ` where one value is read from it, or the call that reads it."""
    assert callable(origin)
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        return "os.environ" if origin(node.value) == "os.environ" else ""
    found = str(origin(node.func)) if isinstance(node, ast.Call) else ""
    return f"{found}()" if found in _READERS else ""


def _keys(facts: Facts, module: Module) -> Iterator[Finding]:
    for node in walk(module.source.tree):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        match = _KEY.search(node.value)
        if match and len(set(match[0])) > 9:
            what = f"a key stands in the code: {match[0][:7]}..."
            why = "whoever reads the code or its history has the key"
            fix = f"revoke this key; keep the new one out of the code:\n{_FIX}"
            yield facts.finding("HW503", what, module, node, why=why, fix=fix)


def _logged(facts: Facts, function: FunctionInfo) -> Iterator[Finding]:
    for call in function.scope.calls:
        if not _LOGS.fullmatch(facts.origin(call.func, function)):
            continue
        for inner in (node for value in call.args for node in walk(value)):
            if isinstance(inner, ast.Attribute) and inner.attr == "get_secret_value":
                what = "writes a secret to the log"
                why = "logs are kept, and read by more people than secrets are"
                fix = "log the setting itself, which shows as **********, or nothing"
                yield facts.finding("HW503", what, function, inner, why=why, fix=fix)
                break
