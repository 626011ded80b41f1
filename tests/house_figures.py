"""Our sizes beside the targets of the house style: `python tests/house_figures.py`.

The figures are to compare with, not limits; tests/test_house.py holds what is a limit.
"""

from __future__ import annotations

import ast
import io
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "src"
TESTS = ROOT / "tests"
Function = ast.FunctionDef | ast.AsyncFunctionDef
_NESTING = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try)


def python_files(folder: Path) -> list[Path]:
    """The Python files of a folder, without generated ones and installed packages."""
    found = sorted(folder.rglob("*.py"))
    return [path for path in found if "node_modules" not in path.parts]


def tracked_files() -> list[str]:
    """What git tracks, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def code_lines(path: Path) -> int:
    """Lines that hold code: no blank line, no comment, no docstring."""
    text = path.read_text(encoding="utf-8")
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in skipped:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstring_lines(ast.parse(text)))


def docstring_lines(tree: ast.Module) -> set[int]:
    """The lines that docstrings take."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | Function) and ast.get_docstring(node):
            first = node.body[0]
            lines.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines


def functions(folder: Path) -> Iterator[tuple[Path, Function]]:
    """Every function of a folder."""
    for path in python_files(folder):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, Function):
                yield path, node


def length(function: Function) -> int:
    """A function's lines without its decorators and its docstring."""
    whole = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    said = (first.end_lineno or first.lineno) - first.lineno + 1
    return whole - said if ast.get_docstring(function) else whole


def nesting(node: ast.AST) -> int:
    """How deep blocks stand in each other."""
    deepest = max((nesting(child) for child in ast.iter_child_nodes(node)), default=0)
    return deepest + isinstance(node, _NESTING)


def parameters(function: Function) -> int:
    """Positional parameters, without self and cls."""
    names = [argument.arg for argument in function.args.posonlyargs + function.args.args]
    return len([name for name in names if name not in ("self", "cls")])


def percentile(numbers: list[int], share: float) -> int:
    """The number below which `share` of them lie; 0 when there are none."""
    ordered = sorted(numbers)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


def spread(numbers: list[int]) -> str:
    """`median / p90 / max`."""
    return " / ".join(str(percentile(numbers, share)) for share in (0.5, 0.9, 1.0))


def rows() -> list[tuple[str, str, str]]:
    """Point, our figure, the target."""
    files = python_files(SOURCES)
    lines = [len(path.read_text(encoding="utf-8").splitlines()) for path in files]
    ours = [function for _, function in functions(SOURCES)]
    claims = [length(f) for _, f in functions(TESTS) if f.name.startswith("test_")]
    source = sum(map(code_lines, files))
    tested = sum(map(code_lines, python_files(TESTS)))
    notes = 1 - source / max(1, sum(lines) - _blank(files))
    return [
        ("entries at the top", str(len(top_entries())), "at most 18"),
        ("core, lines of code", str(sum(map(code_lines, python_files(CORE)))), "at most 5000"),
        ("lines per file, median / p90 / max", spread(lines), "150 / - / 400"),
        ("lines per function", spread([length(function) for function in ours]), "8 / 30 / 60"),
        ("nesting", spread([nesting(function) for function in ours]), "- / - / 3"),
        ("positional parameters", spread([parameters(f) for f in ours]), "- / - / 5"),
        ("comments and docstrings", f"{notes:.0%}", "10-25%"),
        ("tests", str(len(claims)), ""),
        ("lines per test", spread(claims), "12 / 30 / -"),
        ("test lines per source line", f"{tested / max(1, source):.2f}", "1.2-1.6"),
        ("README.md, lines", str(_count("README.md")), "at most 140"),
        ("CLAUDE.md, lines", str(_count("CLAUDE.md")), "at most 80"),
    ]


CORE = SOURCES / "headwater" / "core"


def top_entries() -> set[str]:
    """The tracked entries of the root folder."""
    return {name.split("/")[0] for name in tracked_files()}


def _blank(files: list[Path]) -> int:
    return sum(not line.strip() for path in files for line in path.read_text().splitlines())


def _count(name: str) -> int:
    return len((ROOT / name).read_text(encoding="utf-8").splitlines())


def longest(count: int) -> list[str]:
    """The longest functions and files, to have a second look at."""
    found = [(length(f), f"{path.relative_to(ROOT)}:{f.name}") for path, f in functions(SOURCES)]
    files = [(_count(str(path)), str(path.relative_to(ROOT))) for path in python_files(SOURCES)]
    return [f"{size:5} {name}" for part in (found, files) for size, name in top(part, count)]


def top(pairs: list[tuple[int, str]], count: int) -> list[tuple[int, str]]:
    """The largest pairs."""
    return sorted(pairs, reverse=True)[:count]


def main() -> None:
    """Print the table, and what to look at first."""
    for point, figure, target in rows():
        print(f"{point:38} {figure:>18}   {target}")
    print("\n".join(["", "longest functions, then files:", *longest(8)]))


if __name__ == "__main__":
    main()
