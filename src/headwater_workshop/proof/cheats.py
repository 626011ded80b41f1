"""Cheats against lesson 1: ways to be graded as right without being right.

Each is laid over the right solution of lesson 1 with the body of `create_task` taken out, so that
everything but the work itself is already as it should be.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from headwater_workshop.lessons import find_lesson
from headwater_workshop.stages import stage

CHEATED = 1  # the lesson they are made for
TASKS = "backend/tasks.py"
LAZY = 'return Id("a" * 32)'

_RIGHT_BODY = """\
    identity = await ctx.auth.require_identity()
    return await ctx.db.insert(
        Task(title=title, assignee=identity.subject, priority=priority, project_id=project_id)
    )
"""


@dataclass(frozen=True)
class Cheat:
    """One cheat.

    Attributes:
        top: runs when the backend is imported.
        body: the body of `create_task`.
        files: further files of the project.
    """

    top: str = ""
    body: str = LAZY
    files: dict[str, str] = field(default_factory=dict)

    def project(self) -> dict[str, bytes]:
        """The files of a project that tries it."""
        tree = stage(1, (find_lesson("1"),))
        source = tree[TASKS].decode()
        assert _RIGHT_BODY in source, "the solution of lesson 1 was changed: change this with it"
        body = "".join(f"    {line}\n" for line in self.body.strip("\n").splitlines())
        head, separator, rest = source.replace(_RIGHT_BODY, body).partition('"""\n')
        cheating = f"{head}{separator}\n{rest}\n\n{self.top.strip()}\n"
        extra = {name: text.encode() for name, text in self.files.items()}
        return {**tree, TASKS: cheating.encode(), **extra}


_FIND_PIPE = """
import gc, json, os
pipe = next(each for each in gc.get_objects() if type(each).__name__ == "HostPipe")
def forge(message):
    body = json.dumps(message).encode()
    os.write(pipe._output, len(body).to_bytes(4, "big") + body)
"""
_FAKE_OUTPUT = 'print("2 passed in 0.01s"); import sys; sys.stdout.flush()'
_EQUAL = """
class Equal(str):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return hash("a")
    def __instancecheck__(self, other): return True
"""
_HOOK = """
import pytest
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    outcome.get_result().outcome = "passed"
"""
_REWRITE = """
import json, os
for name in ("results.json", ".headwater/progress.json", "report.xml"):
    for folder in (os.getcwd(), os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
    "/tmp"):
        try:
            with open(os.path.join(folder, name), "w") as file:
                file.write('{"passed": true}')
        except OSError:
            pass
"""
_DAEMON = """
import os, subprocess, sys
code = "import time; time.sleep(1); open('results.json', 'w').write('{}')"
try:
    subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
except OSError:
    if os.fork() == 0:
        exec(code)
"""
_ASK_FRAMES = """
import sys
frame, found = sys._getframe(), []
while frame is not None:
    found += [v for v in frame.f_locals.values() if isinstance(v, dict) and "wanted" in v]
    frame = frame.f_back
return found[0]["wanted"] if found else Id("a" * 32)
"""
_ASK_GC = """
import gc
checks = [o for o in gc.get_objects() if type(o).__name__ in ("Check", "Lab", "CheckResult")]
for each in checks:
    object.__setattr__(each, "run", lambda lab: None)
return Id("a" * 32)
"""
_ASK_FILES = """
import pathlib
for root in ("/", "/tmp", "..", "/proc/self/cwd", "/usr"):
    for path in pathlib.Path(root).rglob("checks.py"):
        if "children_apart" in path.read_text():
            return Id(path.read_text())
return Id("a" * 32)
"""
_GOOD_MANIFEST = """
from headwater.core.manifest import Manifest
forge({"manifest": {"tables": [], "functions": []}})
"""

CHEATS: dict[str, Cheat] = {
    # the process ends, and says that all is well
    "exit-on-import-with-fake-output": Cheat(top=f"{_FAKE_OUTPUT}\nimport os; os._exit(0)"),
    "exit-in-call-with-fake-output": Cheat(body=f"{_FAKE_OUTPUT}\nimport os; os._exit(0)"),
    "sys-exit-on-import": Cheat(top="import sys; sys.exit(0)"),
    "sys-exit-in-call": Cheat(body="import sys; sys.exit(0)"),
    "pytest-exit": Cheat(top="import pytest; pytest.exit('done', returncode=0)"),
    "module-skip": Cheat(top="import pytest; pytest.skip('x', allow_module_level=True)"),
    "skip-in-call": Cheat(body="import pytest; pytest.skip('not today')"),
    "xfail-in-call": Cheat(body="import pytest; pytest.xfail('known')"),
    # lying values
    "equal-to-everything": Cheat(top=_EQUAL, body='return Equal("a")'),
    "equal-to-everything-as-any-object": Cheat(
        body="return type('E', (), {'__eq__': lambda a, b: True, '__hash__': lambda a: 1})()"
    ),
    # the test framework
    "patched-report": Cheat(
        top="import _pytest.reports as r; r.TestReport.passed = property(lambda self: True)\n"
        "r.TestReport.failed = property(lambda self: False)"
    ),
    "conftest-hook": Cheat(files={"conftest.py": _HOOK, "backend/conftest.py": _HOOK}),
    "replaced-test-bodies": Cheat(body=_ASK_GC),
    "collect-only": Cheat(
        files={"pytest.ini": "[pytest]\naddopts = --collect-only\n", "tox.ini": "[pytest]\n"}
    ),
    "own-pytest": Cheat(files={"pytest.py": "main = lambda *a: 0", "backend/pytest.py": "x = 1"}),
    "own-json": Cheat(
        files={
            "json.py": "loads = lambda text: {'passed': True}\ndumps = lambda value, **k: '{}'",
            "backend/json.py": "loads = lambda text: {'passed': True}",
        }
    ),
    "own-site": Cheat(
        files={
            "sitecustomize.py": "import os; os._exit(0)",
            "backend/sitecustomize.py": "import os; os._exit(0)",
        }
    ),
    "edited-tests": Cheat(
        files={
            "tests/checks.py": "",
            "tests/test_tasks.py": "def test_it(): pass",
            "lessons/01-schema-and-validators/tests/checks.py": "",
            "headwater_workshop/grader/grader.py": "def grade(*a, **k): return True",
        }
    ),
    # results written by hand
    "results-file-then-exit": Cheat(body=f"{_REWRITE}\nimport os\nos._exit(0)"),
    "atexit-rewrite": Cheat(
        top="import atexit\n@atexit.register\ndef rewrite():\n"
        + "".join(f"    {line}\n" for line in _REWRITE.strip().splitlines())
    ),
    "daemon": Cheat(top=f"try:\n    exec({_DAEMON!r})\nexcept OSError:\n    pass"),
    # looking for the answers
    "expected-values-from-frames": Cheat(body=_ASK_FRAMES),
    "expected-values-from-files": Cheat(body=_ASK_FILES),
    # not ending
    "infinite-loop": Cheat(body="while True: pass"),
    "loop-that-catches-everything": Cheat(
        body="while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    ),
    "sleep-on-import": Cheat(top="import time; time.sleep(3600)"),
    "output-flood": Cheat(body="import os\nwhile True: os.write(2, b'x' * 4096)"),
    # the runtime in the worker
    "patched-ctx-db": Cheat(
        body="ctx.db.insert = lambda *a: None\nctx.db._run.ask = lambda *a: None\n" + LAZY
    ),
    "patched-runtime": Cheat(
        top="from headwater.core.placement import InProcess\n"
        "InProcess.run = lambda self, frame, answer: 'a' * 32"
    ),
    "patched-validators": Cheat(
        top="from headwater.core import validators\n"
        "for kind in vars(validators).values():\n"
        "    if isinstance(kind, type) and hasattr(kind, 'check'):\n"
        "        kind.check = lambda self, *a: None"
    ),
    # the pipe
    "forged-manifest": Cheat(top=_FIND_PIPE + _GOOD_MANIFEST + "os._exit(0)"),
    "manifest-of-junk": Cheat(top=_FIND_PIPE + "forge({'manifest': {'tables': 'x'}})\nos._exit(0)"),
    "manifest-no-database-can-serve": Cheat(
        top=_FIND_PIPE + "tables = [{'name': 'tasks', 'document': {'type': 'any'}, 'indexes':"
        " [{'name': 'by_creation_time', 'fields': ['..', '']}]}]\n"
        "forge({'manifest': {'tables': tables, 'functions': []}})"
    ),
    "second-manifest": Cheat(top=_FIND_PIPE + _GOOD_MANIFEST),
    "forged-returns": Cheat(
        top=_FIND_PIPE,
        body="for number in range(1, 400):\n"
        "    forge({'call': number, 'return': 'a' * 32, 'used': {}, 'log': []})\n" + LAZY,
    ),
    "reply-to-nothing": Cheat(
        top=_FIND_PIPE,
        body="forge({'call': 10**6, 'return': 'a' * 32, 'used': {}, 'log': []})\n" + LAZY,
    ),
    "return-twice": Cheat(
        top="from headwater.core.placement import InProcess\n" + _FIND_PIPE,
        body="import itertools\n"
        "for number in itertools.count(1):\n"
        "    forge({'call': number, 'raise': {'message': 'x', 'overloaded': None, 'app': False}})\n"
        "    if number > 20: break\n" + LAZY,
    ),
    "forged-end-of-an-action": Cheat(
        top=_FIND_PIPE,
        body="for number in range(1, 50):\n"
        "    forge({'action': number, 'return': 'a' * 32, 'log': []})\n" + LAZY,
    ),
    "asks-as-an-action": Cheat(
        top=_FIND_PIPE,
        body="insert = {'ask': 'RunFunction', 'path': 'tasks:createTask', 'kind': 'mutation',"
        " 'arguments': {'title': title}}\n"
        "forge({'action': 1, 'id': 1, 'ask': insert})\n" + LAZY,
    ),
    "return-with-no-end-of-lists": Cheat(
        top=_FIND_PIPE,
        body="for number in range(1, 400):\n"
        '    part = b\'{"call":%d,"used":{},"log":[],"return":\' % number\n'
        "    body = part + b'[' * 900 + b']' * 900 + b'}'\n"
        "    os.write(pipe._output, len(body).to_bytes(4, 'big') + body)\n" + LAZY,
    ),
    "error-of-megabytes": Cheat(body="raise ValueError('\\x1b[2J' + 'x' * 10**7)"),
    "half-a-frame": Cheat(top=_FIND_PIPE, body="os.write(pipe._output, b'\\x00\\x00')\n" + LAZY),
    "endless-frame": Cheat(
        top=_FIND_PIPE,
        body="os.write(pipe._output, b'\\x7f\\xff\\xff\\xff')\n"
        "while True: os.write(pipe._output, b'x' * 65536)",
    ),
}
