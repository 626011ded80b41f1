"""Where a reply's code would go."""

import pytest
from evals.pasting import candidates, code_blocks, together

FILE = '''import os


@query
async def listed(ctx, project_id: str) -> list:
    """Said."""
    return []


class Task(Document):
    title: str
    done: bool = False


def other():
    return listed
'''
FILES, TARGETS = {"a.py": FILE}, {"a.py": ["listed", "Task", "Kind"]}


def likeliest(code: str, files: dict[str, str] | None = None) -> str:
    """The file with this code pasted in at its likeliest place."""
    return candidates(code, files or FILES, TARGETS)[0]["a.py"]


def test_blocks_are_the_python_of_a_reply() -> None:
    """Fences of a shell are none; indentation of a list is taken away; a diff stays one."""
    listed = "a\n```console\n$ x\n```\n- b\n  ```python\n  y = 1\n  ```\n"
    reply = f"{listed}```diff\n-z = 1\n+z = 2\n w\n```"
    first, second = code_blocks(reply)
    assert first == "y = 1\n"
    assert second.endswith("-z = 1\n+z = 2\n w\n")
    assert code_blocks("no code, and `inline`") == []


def test_a_function_goes_over_the_one_of_its_name() -> None:
    """With its decorators, and with imports and helpers before the definitions."""
    code = "import re\n\n@query\nasync def listed(ctx):\n    return [1]\n\nKind = int\n"
    made = likeliest(code)
    assert "    return [1]\n" in made
    assert "    return []" not in made
    assert made.count("@query") == 1
    assert made.startswith("import os\n")
    assert made.index("import re") < made.index("Kind = int") < made.index("@query")
    assert made.endswith("def other():\n    return listed\n")


@pytest.mark.parametrize(
    ("code", "within"),
    [
        ("async def solution(ctx):\n    return [2]", "async def listed(ctx):\n    return [2]"),
        ("return [3]", "async def listed(ctx, project_id: str) -> list:\n    return [3]"),
        (
            "rows = await ctx.db.all()\nreturn rows",
            "    rows = await ctx.db.all()\n    return rows",
        ),
        ("owner: str", "    done: bool = False\n    owner: str"),
        ("done: int = 0", "    title: str\n    done: int = 0\n"),
        ("class Task(Document):\n    ...\n    x: int", "    done: bool = False\n    x: int"),
        ("async def listed(ctx, n: int) -> list: ...", "(ctx, n: int) -> list"),
    ],
)
def test_other_code_has_its_places_too(code: str, within: str) -> None:
    """Another name, the lines of a body, fields, a class with dots, a signature alone."""
    assert any(within in made["a.py"] for made in candidates(code, FILES, TARGETS)), code


def test_a_signature_alone_keeps_the_body() -> None:
    """The learner's own lines stay below it."""
    made = likeliest("@query\nasync def listed(\n    ctx, n: int\n) -> list:\n    ...")
    assert "    ctx, n: int\n) -> list:\n" in made
    assert "    return []\n" in made


@pytest.mark.parametrize(
    ("diff", "within"),
    [
        (" ...\n-    return []\n+    return [1]\n", '"""Said."""\n    return [1]\n'),
        ("     done: bool = False\n+    owner: str\n", "    done: bool = False\n    owner: str\n"),
        ("+    first: int\n     title: str\n", "    first: int\n    title: str\n"),
        ("@@ -1 +1 @@\n-import os\n+import re\n", "import re\n"),
    ],
)
def test_a_diff_is_applied_where_its_lines_are(diff: str, within: str) -> None:
    """Removed lines are found without regard to indentation, added ones by the line beside."""
    (code,) = code_blocks(f"```diff\n{diff}```")
    assert within in likeliest(code)


def test_a_diff_of_whole_functions_needs_no_place() -> None:
    """What it leaves is code, and goes where code goes."""
    (code,) = code_blocks("```\n+async def listed(ctx):\n+    return [4]\n```")
    assert "    return [4]\n" in likeliest(code)


def test_the_mark_is_the_first_place() -> None:
    """Code that the learner would put where the mark is goes there, indented as it is."""
    marked = {"a.py": FILE.replace("    return []", "    # TODO(human): rows?\n    return []")}
    assert "    rows = 1\n    return []" in likeliest("rows = 1", marked)


def test_what_fits_nowhere_gives_nothing() -> None:
    """Prose in a fence, and code that says what is there already."""
    assert candidates("this is no code at all", FILES, TARGETS) == []
    assert candidates("class Task(Document):\n    ...", FILES, {"a.py": ["Task"]}) == []


def test_blocks_are_put_together() -> None:
    """Each at its likeliest place, in the order in which they were said."""
    made = together(["Kind = int", "async def listed(ctx):\n    return [1]"], FILES, TARGETS)
    assert "Kind = int" in made["a.py"]
    assert "return [1]" in made["a.py"]
