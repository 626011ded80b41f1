"""A reply's code, put where a learner would put it: does the lesson's part then work?

A block may be whole functions, a diff, the lines of a body, or fields of a table. For each there
is a place, so a block gives some candidates: files as they would be. Whether one is a solution,
the grader says.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from evals.diffs import applied, is_diff, left_by
from headwater_workshop.own.regions import MARK

Files = Mapping[str, str]
Targets = Mapping[str, Sequence[str]]

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})(\w*)[^\n]*\n(.*?)^[ \t]*\1[ \t]*$", re.M | re.S)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DIFF = "# a diff\n"
_SHELL = ("console", "bash", "sh", "shell", "json", "text", "toml")


def code_blocks(reply: str) -> list[str]:
    """The Python of a reply's fenced blocks, in their order; diffs as they are."""
    found = []
    for _, language, text in _FENCE.findall(reply):
        if language.lower() not in _SHELL:
            diff = is_diff(language.lower(), text)
            found.append(f"{_DIFF}{text}" if diff else textwrap.dedent(text))
    return found


def candidates(code: str, files: Files, targets: Targets) -> list[dict[str, str]]:
    """What the files may be with this code pasted in, the likeliest first; only what parses."""
    places = [(path, name) for path, names in targets.items() for name in names]
    found: list[dict[str, str]] = []
    known = [_meaning(files)]
    changed: list[dict[str, str]] = []
    if code.startswith(_DIFF):
        diff = code.removeprefix(_DIFF)
        made, elsewhere = applied(diff, files)
        changed = [together([textwrap.dedent(text) for text in elsewhere], made, targets)]
        code = textwrap.dedent(left_by(diff))
    named = list(_by_name(code, files, targets))
    inside = [_into(code, files, path, name) for path, name in places] if not named else []
    for made in chain(changed, _at_the_mark(code, files), named, *inside):
        made = _importing(made)
        meaning = _meaning(made)
        if meaning is not None and meaning not in known:
            known.append(meaning)
            found.append(made)
    return found


def together(blocks: Sequence[str], files: Files, targets: Targets) -> dict[str, str]:
    """The files with every block pasted in, each at its likeliest place."""
    made = dict(files)
    for block in blocks:
        made = next(iter(candidates(block, made, targets)), made)
    return made


def _meaning(files: Files) -> list[str] | None:
    """The files without regard to layout; None when one of them does not parse."""
    modules = [_parsed(text) for text in files.values()]
    return None if None in modules else [ast.dump(module) for module in modules if module]


def _importing(files: dict[str, str]) -> dict[str, str]:
    """The files with imports of what one uses of another: a learner's editor adds them."""
    given = {name: _module(path) for path, text in files.items() for name in _defined(text)}
    made = {}
    for path, text in files.items():
        module = _parsed(text)
        used = {n.id for n in ast.walk(module) if isinstance(n, ast.Name)} if module else set()
        missing = sorted((used & given.keys()) - _bound(text))
        made[path] = _before_definitions(text, [f"from {given[n]} import {n}" for n in missing])
    return made


def _module(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def _defined(text: str) -> set[str]:
    module = _parsed(text)
    return {_name(node) for node in module.body} - {""} if module else set()


def _bound(text: str) -> set[str]:
    """Names that a file defines or imports."""
    module = _parsed(text)
    nodes = ast.walk(module) if module else iter(())
    imports = (node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom))
    return _defined(text) | {each.asname or each.name for node in imports for each in node.names}


def _parsed(code: str) -> ast.Module | None:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError):
        return None


def _at_the_mark(code: str, files: Files) -> Iterator[dict[str, str]]:
    """In place of the comment that marks where the learner goes on."""
    for path, text in files.items():
        for line in text.splitlines():
            if MARK in line:
                room = line[: len(line) - len(line.lstrip())]
                yield {**files, path: text.replace(line, textwrap.indent(code.rstrip(), room))}


def _by_name(code: str, files: Files, targets: Targets) -> Iterator[dict[str, str]]:
    """Each definition over the one of its name; what else there is, before the first of them."""
    module = _parsed(code)
    if module is None:
        return
    made, beside = dict(files), list[str]()
    there = {name for text in files.values() for name in _defined(text)}
    for node in module.body:
        path = next((p for p, names in targets.items() if _name(node) in names), None)
        if path is None:
            if _name(node) not in there:
                beside.append(_source(code, node))
        else:
            made[path] = _over(made[path], _name(node), code, node)
    changed = [path for path in made if made[path] != files[path]]
    for path in changed:
        own = f"from {_module(path)} import"
        added = [text for text in beside if not text.startswith(own)]
        made[path] = _before_definitions(made[path], added)
    if changed:
        yield made


def _into(code: str, files: Files, path: str, name: str) -> Iterator[dict[str, str]]:
    """Into one target: a definition of another name in its place, a body, or fields of a class."""
    old = _definition(files[path], name)
    module = _parsed(code)
    if old is None:
        return
    definitions = [n for n in module.body if isinstance(n, _DEFINITIONS)] if module else []
    if definitions:
        node = definitions[-1]  # helpers stand before what they help
        if isinstance(node, ast.ClassDef) == isinstance(old, ast.ClassDef):
            renamed = re.sub(rf"\b{node.name}\b", name, _source(code, node), count=1)
            yield {**files, path: _replace(files[path], old, renamed)}
        return
    if isinstance(old, ast.ClassDef):
        yield {**files, path: _replace(files[path], old, _with_fields(files[path], old, code))}
    else:
        head = _head(files[path], old)
        body = textwrap.indent(textwrap.dedent(code).strip("\n"), "    ")
        yield {**files, path: _replace(files[path], old, f"{head}\n{body}")}


def _over(text: str, name: str, code: str, node: ast.stmt) -> str:
    """The text with this definition; what it leaves open with `...` stays as it was."""
    old, new = _definition(text, name), _source(code, node)
    if old is None:
        return _before_definitions(text, [new])
    if isinstance(node, ast.ClassDef) and isinstance(old, ast.ClassDef) and _is_open(node):
        fields = "\n".join(_source(code, each) for each in node.body if not _is_dots(each))
        return _replace(text, old, _with_fields(text, old, textwrap.dedent(fields)))
    if isinstance(node, _FUNCTIONS) and isinstance(old, _FUNCTIONS) and _is_empty(node):
        body = "\n".join(text.splitlines()[old.body[0].lineno - 1 : old.end_lineno])
        return _replace(text, old, f"{_head(code, node)}\n{body}")
    return _replace(text, old, new)


def _with_fields(text: str, old: ast.ClassDef, code: str) -> str:
    """A class with these lines in it, each over the field of its name."""
    fields = _parsed(code)
    new = {_name(node) for node in fields.body} if fields else set()
    lines = text.splitlines()
    kept = [lines[n.lineno - 1 : n.end_lineno] for n in old.body if _name(n) not in new or not new]
    head = lines[_first(old) - 1 : old.body[0].lineno - 1]
    return "\n".join([*head, *chain(*kept), textwrap.indent(code.strip("\n"), "    ")])


def _definition(text: str, name: str) -> ast.stmt | None:
    module = _parsed(text)
    return next((n for n in module.body if _name(n) == name), None) if module else None


def _name(node: ast.stmt) -> str:
    if isinstance(node, _DEFINITIONS):
        return node.name
    target = getattr(node, "target", None) or next(iter(getattr(node, "targets", [])), None)
    return target.id if isinstance(target, ast.Name) else ""


def _first(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])


def _source(code: str, node: ast.stmt) -> str:
    return "\n".join(code.splitlines()[_first(node) - 1 : node.end_lineno])


def _head(code: str, node: ast.stmt) -> str:
    """A function's lines before its body, with its decorators."""
    body = getattr(node, "body", [node])[0]
    lines = code.splitlines()[_first(node) - 1 : body.lineno]
    return "\n".join([*lines[:-1], lines[-1][: body.col_offset]]).rstrip()


def _replace(text: str, old: ast.stmt, new: str) -> str:
    lines = text.splitlines()
    return "\n".join([*lines[: _first(old) - 1], new, *lines[old.end_lineno or 0 :]]) + "\n"


def _before_definitions(text: str, added: Sequence[str]) -> str:
    """The text with lines added after its imports."""
    module = _parsed(text)
    if module is None or not added:
        return text
    heads = [n for n in module.body if isinstance(n, ast.Import | ast.ImportFrom)]
    after = max((node.end_lineno or 0 for node in heads), default=0)
    lines = text.splitlines()
    return "\n".join([*lines[:after], *added, *lines[after:]]) + "\n"


def _is_dots(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_open(node: ast.ClassDef) -> bool:
    dots = (n.value for n in node.body if isinstance(n, ast.Expr))
    return any(isinstance(value, ast.Constant) and value.value is ... for value in dots)


def _is_empty(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return all(_is_dots(each) or isinstance(each, ast.Pass) for each in node.body)
