"""The structural points of the house style: layers, names, docstrings, documents."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests import house_figures
from tests.docs.pages import words_in_code
from tests.house_figures import (
    CORE,
    ROOT,
    SOURCES,
    TESTS,
    Function,
    functions,
    python_files,
    top_entries,
    tracked_files,
)

RUNTIME = SOURCES / "headwater"
WORKSHOP = SOURCES / "headwater_workshop"
LEAVES = ("headwater.errors", "headwater.settings", "headwater.clock")
RULES = "headwater.rules"
CORE_MAY_IMPORT = {
    "annotated_types",
    "cronsim",
    "cryptography",
    "orjson",
    "pydantic",
    "pydantic_core",
    "sortedcontainers",
}
CLOCKS = {
    "time": {"monotonic"},  # only where REAL_TIME says so
    "secrets": set[str](),
    "uuid": set[str](),
    "random": {"Random"},  # a generator from a seed that the clock gave
}


REAL_TIME = {
    "driver",  # a time limit guards the machine, whatever time a test's clock shows
    "timelimit",
}


# Modules without a test file of their own name, by the tests that go through them.
TESTED_THROUGH = {
    "tests/headwater/test_rules.py": """
        rules.callers rules.data rules.determinism rules.edges rules.functions rules.judging
        rules.model
    """,
    "tests/headwater/cli/test_check.py": """
        check.loading check.repairs check.sarif cli.checking cli.styled
    """,
    "tests/headwater/check": """
        check.actions check.ambient check.awaits check.bounds check.chains check.clients
        check.contexts check.crons check.declared check.direct_calls check.facts
        check.field_types check.indexes check.invented check.nodes check.offences check.outside
        check.outside_calls check.places check.project check.registered check.routes
        check.scheduled check.scopes check.secrets check.signatures check.state check.tables
        check.transactions check.webhooks core.equivalents
    """,
    "tests/headwater/cli/test_program.py": "cli.program",
    "tests/headwater/cli/test_data_commands.py": """
        cli.export cli.import_ cli.reach data.at_rest
    """,
    "tests/headwater/test_worker_actions.py": """
        remote_actions remote_calls remote_requests remote_site worker_routes
    """,
    "tests/headwater/test_data_api.py": "data.browse data.files_door data.stored_files",
    "tests/headwater/core/test_engine.py": "core.reruns",
    "tests/workshop/test_learner_tests.py": "host_pipe suite_worker",
    "tests/workshop/test_lab_pages.py": "page_worker",
    "tests/headwater/test_host.py": "host_calls observed",
    "tests/headwater/test_testing.py": "runtime",
    "tests/workshop/test_lab_proofs.py": "rehearsal turns",
    "tests/headwater/test_stages.py": "core.absent core.allowed core.declared_at core.guard "
    "core.spending core.twice core.violations strays",
    "tests/headwater/data": "data.sources data.staging data.values_in",
    "tests/scenarios": """
        action_loop auth.callers auth.claims auth.dev
        cli.project cli.run cli.serve cli.token cli.watch core.actions core.calls
        core.commits core.engine core.identity core.session core.subscriptions core.work gate
        core.background core.batch core.job_queue core.jobs core.replies core.scheduler
        deployment follow hub mcp.link mcp.resources mcp.server mcp.toolbox mcp.tools_changes
        mcp.tools_data mcp.tools_functions mcp.tools_logs mcp.tools_rules mcp.tools_status
        mcp.updates mcp.older mcp.prompts
        last_call process route_call site testing_routes
        pytest_plugin server supervisor sync_socket
    """,
    "tests/docs/test_snippets.py": """
        core.asking core.catalog core.codecs core.context core.context_env core.database
        core.db core.documents
        core.functions core.ids core.manifest core.migration core.names core.overlay
        core.pagination core.query core.ranges core.reads core.scans core.storage.sqlite core.tables
        core.transaction core.validators core.writes
    """,
}


def module_of(path: Path) -> str:
    """`headwater.core.reads` for its file."""
    parts = path.relative_to(SOURCES).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, *, at_run_time: bool = False) -> Iterator[tuple[int, str]]:
    """The absolute names a file imports, with their lines; modules and what is taken from them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in _statements(tree) if at_run_time else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(path, node)
            yield node.lineno, base
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """What runs when the module is imported; TYPE_CHECKING blocks do not."""
    for node in tree.body:
        if isinstance(node, ast.If | ast.Try):
            typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            yield from [] if typing_only else node.body
        else:
            yield node


def _absolute(path: Path, node: ast.ImportFrom) -> str:
    if not node.level or not path.is_relative_to(SOURCES):
        return node.module or ""
    package = path.relative_to(SOURCES).parent.parts
    base = package[: len(package) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def offences(files: list[Path], wrong: object) -> list[str]:
    """`file:line name` for each import that `wrong` says so of."""
    assert callable(wrong)
    found = [(path, line, name) for path in files for line, name in imports(path)]
    return [f"{path.relative_to(ROOT)}:{line} {name}" for path, line, name in found if wrong(name)]


def inside(name: str, package: str) -> bool:
    """Whether a dotted name is this package or in it."""
    return name == package or name.startswith(f"{package}.")


# --- tree and layers ---


def test_the_top_of_the_tree_stays_small() -> None:
    """A newcomer sees at most 18 entries in the root folder."""
    assert len(top_entries()) <= 18, sorted(top_entries())


def test_no_import_cycles() -> None:
    """Modules import each other one way only; a cycle makes the sorter raise, with its names."""
    paths = {module_of(path): path for path in python_files(SOURCES)}
    modules = {name for name, path in paths.items() if path.name != "__init__.py"}
    graph = {
        name: {taken for _, taken in imports(paths[name], at_run_time=True)} & modules - {name}
        for name in modules
    }
    assert len(list(TopologicalSorter(graph).static_order())) == len(modules)


def test_core_imports_only_leaves_and_named_libraries() -> None:
    """Core stands on the standard library and a few libraries of data, none of the web."""
    allowed = (*LEAVES, RULES, "headwater.core")
    libraries = CORE_MAY_IMPORT | set(sys.stdlib_module_names)

    def wrong(name: str) -> bool:
        if inside(name, "headwater"):
            return name != "headwater" and not any(inside(name, one) for one in allowed)
        return name.split(".")[0] not in libraries

    assert not offences(python_files(CORE), wrong)


@pytest.mark.parametrize("leaf", LEAVES)
def test_leaves_import_nothing_of_the_package(leaf: str) -> None:
    """Errors, limits and the clock can be used by all because they use none."""
    path = SOURCES / Path(*leaf.split(".")).with_suffix(".py")
    assert not offences([path], lambda name: inside(name, "headwater"))


def test_rules_import_only_each_other() -> None:
    """What they say is used at every layer."""
    files = python_files(RUNTIME / "rules")
    assert not offences(files, lambda name: inside(name, "headwater") and not inside(name, RULES))


def test_the_runtime_knows_nothing_of_the_workshop() -> None:
    """Lessons, grader and template are above the runtime."""
    assert not offences(python_files(RUNTIME), lambda name: inside(name, "headwater_workshop"))


def test_the_workshop_uses_public_names_only() -> None:
    """The workshop imports neither core nor a name with an underscore."""

    def wrong(name: str) -> bool:
        private = any(part.startswith("_") for part in name.split("."))
        return inside(name, "headwater") and (private or inside(name, "headwater.core"))

    assert not offences(python_files(WORKSHOP), wrong)


@pytest.mark.parametrize("path", python_files(CORE), ids=module_of)
def test_core_takes_time_ids_and_chance_from_the_clock(path: Path) -> None:
    """No module of core asks the machine for time or chance; tests could not repeat it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    used = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    taken = [name for _, name in imports(path) if "." in name]
    for name in (*used, *taken):
        module, _, attribute = name.partition(".")
        assert attribute in CLOCKS.get(module, {attribute}), f"{path.name}: {name}"
        assert name != "time.monotonic" or path.stem in REAL_TIME, path.name
        assert name not in ("datetime.now", "datetime.datetime.now", "os.urandom"), path.name


# --- names, docstrings, tests ---


def undocumented(path: Path) -> Iterator[str]:
    """Public names without a docstring; a method may have its base's."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    if not ast.get_docstring(tree):
        yield "module"
    for node in tree.body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield from [] if ast.get_docstring(node) or is_again(node) else [node.name]
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from (f"{node.name}.{name}" for name in undocumented_methods(node, classes))


def undocumented_methods(owner: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> Iterator[str]:
    """Public methods without a docstring, their own or a base's."""
    public = [part for part in owner.body if isinstance(part, Function) and part.name[0] != "_"]
    for part in public:
        if not (is_again(part) or explained(owner, part.name, classes)):
            yield part.name


def is_again(node: ast.ClassDef | Function) -> bool:
    """An overload or a setter: its first definition has the docstring."""
    names = {ast.unparse(decorator).split(".")[-1] for decorator in node.decorator_list}
    return bool(names & {"overload", "setter"})


def explained(owner: ast.ClassDef, method: str, classes: dict[str, ast.ClassDef]) -> bool:
    """Whether a class of this module, or a base of it there, documents the method."""
    ours = [part for part in owner.body if isinstance(part, Function) and part.name == method]
    if any(ast.get_docstring(part) for part in ours):
        return True
    bases = [ast.unparse(base).split("[")[0] for base in owner.bases]
    return any(explained(classes[base], method, classes) for base in bases if base in classes)


@pytest.mark.parametrize("path", python_files(SOURCES), ids=module_of)
def test_public_names_have_docstrings(path: Path) -> None:
    """Whoever meets a name in an editor reads what it is."""
    assert not list(undocumented(path))


def test_every_test_is_a_claim_in_words() -> None:
    """Each test has a docstring."""
    silent = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}"
        for path, function in functions(TESTS)
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]
    assert not silent


def test_every_module_has_its_tests() -> None:
    """A module has a test file of its name, with its folder's before it or without, or a test that
    imports it, or is listed with which.
    """
    files = [path for path in python_files(TESTS) if path.name != Path(__file__).name]
    own = {path.stem.removeprefix("test_") for path in files}
    imported = {name for path in files for _, name in imports(path)}
    listed = {f"headwater.{name}" for names in TESTED_THROUGH.values() for name in names.split()}
    assert all((ROOT / place).exists() for place in TESTED_THROUGH)
    for path in python_files(SOURCES):
        name = module_of(path)
        called = {path.stem, f"{path.parent.name}_{path.stem}"}
        tested = called & own or name in imported or name in listed
        bare = {"__init__", "__main__", "hatch_kit", "sandbox_child", "warm_child"}
        assert tested or called & bare, name


# --- documents ---


@pytest.mark.parametrize("name", ["README.md", "CLAUDE.md"])
def test_paths_named_in_documents_exist(name: str) -> None:
    """Each path between backticks is there, in the checkout or in the generated project."""
    text = (ROOT / name).read_text(encoding="utf-8")
    table = re.findall(r"`([\w./-]+)`", text) + words_in_code(text)
    named = {word for word in table if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", word)}
    paths = {word for word in named if "/" in word or word.endswith((".md", ".py", ".yml"))}
    known = {Path(entry).name for entry in tracked_files()}
    made = {"my-app", ".venv/bin/mypy"}
    for word in paths:
        there = (ROOT / word).exists() or ("/" not in word and word in known)
        assert there or word.removeprefix("./").rstrip("/") in made, f"{name} names {word}"


@pytest.mark.parametrize(("name", "most"), [("README.md", 140), ("CLAUDE.md", 80)])
def test_first_pages_are_short(name: str, most: int) -> None:
    """README and CLAUDE.md stay readable in one sitting."""
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= most


@pytest.mark.prove
def test_figures_are_printed_beside_their_targets(capsys: pytest.CaptureFixture[str]) -> None:
    """`python tests/house_figures.py` prints a measured figure for each point it lists."""
    house_figures.main()
    said = capsys.readouterr().out
    assert re.search(r"^lines per function +\d+ / \d+ / \d+ +8 / 30 / 60$", said, re.MULTILINE)
    assert "src/headwater/" in said


FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.~}])/(?:work|home|root|Users)/\w"),
    "an address of a package registry": re.compile(
        r"https?://[\w.-]*(?:py" + r"pi\.org|pythonhosted\.org|npm" + r"js\.(?:org|com))"
    ),
    "a script from a CDN or a font server": re.compile(
        r"https?://(?:cdn|unpk" + r"g|fonts\.g|[\w.]*jsdeliv" + r"r)"
    ),
    # One mark is for learners: an assistant leaves it where they write.
    "an unfinished note": re.compile(r"\b(?:TO" + r"DO(?!\(human\))|FIX" + r"ME|XX" + r"X)\b"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_files_hold_nothing_that_does_not_belong(what: str) -> None:
    """No machine's path, no registry's address, no CDN, no note left half done."""
    wrong = [name for name in tracked_files() if FORBIDDEN[what].search(_text(ROOT / name))]
    assert not wrong


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="ignore") if path.is_file() else ""
