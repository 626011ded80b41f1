"""An import from the backend that finds nothing: no server would start with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.check.loading import with_load

from .backends import findings

USES = "from backend.tools import helper\n"


def test_a_misspelt_table_is_an_error_at_its_import(tmp_path: Path) -> None:
    """It names the file, and the name that is there."""
    (found,) = findings(tmp_path, {"notes.py": "import math\nfrom backend.schema import Tasks\n"})
    assert (found.code, found.severity, found.path, found.line) == (
        "HW000",
        "error",
        "backend/notes.py",
        2,
    )
    assert found.what == "backend/schema.py has no Tasks"
    assert found.fix == 'did you mean "Task"? Or define Tasks there'


def test_a_misspelt_module_is_an_error(tmp_path: Path) -> None:
    """Told where a module of nearly that name is there."""
    text = "from backend.shema import Task\nfrom backend import shema\nfrom .shema import Task\n"
    found = findings(tmp_path, {"notes.py": text})
    assert [(f.line, f.what) for f in found] == [
        (line, "there is no module backend.shema") for line in (1, 2, 3)
    ]
    assert found[0].fix == 'did you mean "backend.schema"?'


def test_a_load_does_not_say_it_again(tmp_path: Path) -> None:
    """Reading and loading find the same import; one finding is enough."""
    found = findings(tmp_path, {"notes.py": "from backend.schema import Tasks\n"})
    assert with_load(found, tmp_path) == found


@pytest.mark.parametrize(
    "files",
    [
        {"tools.py": "def __getattr__(name: str) -> int:\n    return 1\n"},
        {"tools.py": "globals()['helper'] = 1\n"},
        {"tools.py": "from somewhere import *\n"},
        {"tools.py": "from backend.more import *\n", "more.py": "helper = 1\n"},
        {"tools.py": "for helper in range(3):\n    pass\n"},
        {"tools.py": "with open(__file__) as helper:\n    pass\n"},
        {"tools.py": "try:\n    import helper\nexcept ImportError:\n    helper = None\n"},
        {"tools.py": "if (helper := 3) > 2:\n    pass\n"},
        {"tools.py": "[helper, *rest] = 1, 2\n"},
        {"tools.py": "import os.path as helper\n"},
        {"tools/__init__.py": "", "tools/helper.py": ""},
        {"tools/__init__.py": "", "tools/helper/deep.py": ""},
        {"tools/helper.py": ""},
        {"toolz.py": "helper = 1\n", "tools.so": ""},
        {"toolz.py": "helper = 1\n", "tools.py": "#" * 1_000_001},
    ],
)
def test_names_that_may_be_there_are_not_judged(tmp_path: Path, files: dict[str, str]) -> None:
    """Every way of binding a name, modules that cannot be seen, and packages with modules."""
    found = findings(tmp_path, {"uses.py": USES, **files})
    assert [one for one in found if one.severity == "error"] == []


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    from backend.schema import Tasks\nexcept ImportError:\n    Tasks = None\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
        "    from backend.schema import Tasks\n",
        "from backend._generated.api import api\n",
        "from backend.elsewhere import take_token\n",
        "from backend.schema import __doc__\n",
    ],
)
def test_imports_that_may_fail_are_not_judged(tmp_path: Path, text: str) -> None:
    """Those that a program expects to fail, that only a type checker reads, and unknown modules."""
    assert findings(tmp_path, {"uses.py": text}) == []
