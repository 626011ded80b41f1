"""A frontend that uses the generated types: `tsc --strict` takes what is right, and no more."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from headwater.codegen import write
from headwater.core.manifest import FunctionSpec, Manifest
from headwater.core.validators import Field, IdOf, Number, Object
from headwater.core.values import Int64
from headwater.loader import load
from tests.model.schemas import TablePlan, app_of, tables
from tests.scenarios.server_process import APPS
from tests.scenarios.typescript import Compiled, compile_frontend, node_modules

MARKED = re.compile(r".*// (\d+) (.*)")
TYPED = APPS / "typed"
WRONG = TYPED / "frontend/src/wrong.tsx"
LINES = [MARKED.match(line) for line in WRONG.read_text().splitlines()]
MARKS = {number: (f"TS{mark[1]}", mark[2]) for number, mark in enumerate(LINES, 1) if mark}


def frontend_of(folder: Path, *names: str) -> Path:
    """A copy of the typed app's frontend, with these of its files and generated types."""
    frontend = folder / "frontend"
    (frontend / "src").mkdir(parents=True)
    shutil.copy(TYPED / "frontend/tsconfig.json", frontend)
    for name in names:
        shutil.copy(TYPED / "frontend/src" / name, frontend / "src")
    generate(frontend / "src/_generated", load(TYPED).manifest)
    return frontend


def generate(folder: Path, manifest: Manifest) -> None:
    """Writes the types, and a copy of each that is no `.d.ts`: tsc checks those, and fast.

    All `.d.ts` would be checked without `skipLibCheck`, those of the browser and React, too.
    """
    write(folder, manifest)
    for name in ("api", "dataModel"):
        shutil.copy(folder / f"{name}.d.ts", folder / f"{name}Checked.ts")


# --- random schemas ---


def literal(value: Any) -> str:
    """A wire value as TypeScript spells it."""
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(name)}: {literal(v)}" for name, v in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, bytes):
        return f"new ArrayBuffer({len(value)})"
    if isinstance(value, Int64):
        return f"{int(value)}n"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return json.dumps(value)


def manifest_of(plan: TablePlan) -> Manifest:
    """A backend with that table, and a function that takes its fields and gives a document."""
    declared = app_of([plan], lambda _module: None).manifest.tables
    fields = declared[plan.name].document
    assert isinstance(fields, Object)
    system = {"_id": Field(IdOf(plan.name)), "_creationTime": Field(Number())}
    document = Object({**system, **fields.fields}, plan.name)
    spec = FunctionSpec("folder/module:take", "mutation", "public", fields, document)
    return Manifest(declared, {spec.path: spec})


HEAD = """import type { FunctionArgs, FunctionReturnType } from "convex/server";
import { api } from "./_generated/api";
import type { Doc, Id } from "./_generated/dataModel";
type Args = FunctionArgs<typeof api.folder.module.take>;
const document = { _id: "made up" as Id<"t">, _creationTime: 1 };
"""


def program(plan: TablePlan, documents: list[dict[str, Any]]) -> str:
    """Uses of a random table: its documents fit; what the runtime would refuse does not."""
    lines = [HEAD]
    for number, fields in enumerate(documents):
        text = literal(fields)
        lines += [
            f"export const args{number}: Args = {text};",
            f'export const doc{number}: Doc<"t"> = {{ ...document, ...args{number} }};',
            f"export const gives{number}: FunctionReturnType<typeof api.folder.module.take> = "
            f"doc{number};",
            *(
                f"// @ts-expect-error\nexport const {n}{number}: Args = {t};"
                for n, t in wrong(plan, fields)
            ),
        ]
    return "\n".join(lines)


def wrong(plan: TablePlan, fields: dict[str, Any]) -> list[tuple[str, str]]:
    """What is none of a table's documents any more: a field more, one less, null where none is."""
    found = [("more", literal({**fields, "extra": 1.0}))]
    for field in plan.fields:
        if field.presence != "optional":
            less = {name: value for name, value in fields.items() if name != field.wire}
            found.append((f"less_{field.name}_", literal(less)))
        if field.presence != "nullable" and field.kind != "any":
            found.append((f"null_{field.name}_", literal({**fields, field.wire: None})))
    return found


@st.composite
def programs(draw: Callable[[st.SearchStrategy[Any]], Any]) -> tuple[Manifest, str]:
    """A random backend of one table and a program that uses it."""
    plan = draw(tables("t"))
    documents = draw(st.lists(plan.documents(), min_size=1, max_size=3))
    return manifest_of(plan), program(plan, documents)


def add_random_programs(frontend: Path, how_many: int) -> None:
    """Puts random backends' types with their programs beside each other, for one run of tsc."""
    drawn: list[tuple[Manifest, str]] = []

    @settings(
        max_examples=how_many,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(programs())
    def draw(made: tuple[Manifest, str]) -> None:
        drawn.append(made)

    draw()
    for number, (manifest, text) in enumerate(drawn):
        folder = frontend / f"src/random{number}"
        generate(folder / "_generated", manifest)
        (folder / "program.ts").write_text(text)


# --- claims ---


def test_a_right_frontend_and_random_ones_pass(tmp_path: Path) -> None:
    """`tsc --strict` has nothing to say: hooks, pages, clients, each kind of value, any schema.

    The generated files themselves are checked, too. Of a random schema a document that fits is
    taken, and one with a field more or less or a null is not.
    """
    frontend = frontend_of(tmp_path, "right.tsx")
    add_random_programs(frontend, 8)
    compiled = compile_frontend(frontend)
    assert compiled.exit_code == 0, compiled.output


@pytest.mark.prove
def test_many_random_backends_pass(tmp_path: Path) -> None:
    """The same for many schemas."""
    frontend = frontend_of(tmp_path)
    add_random_programs(frontend, 300)
    compiled = compile_frontend(frontend)
    assert compiled.exit_code == 0, compiled.output


@pytest.mark.prove
@pytest.mark.parametrize(
    "options",
    [
        ["--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"],
        ["--module", "nodenext", "--moduleResolution", "nodenext"],
        ["--target", "es2017"],
    ],
    ids=" ".join,
)
def test_other_settings_of_tsc_pass(options: list[str], tmp_path: Path) -> None:
    """Stricter ones, Node's way to find modules (imports with their ending), an old target."""
    frontend = frontend_of(tmp_path, "right.tsx")
    (frontend / "package.json").write_text('{"type": "module"}')
    right = frontend / "src/right.tsx"
    text = right.read_text().replace('_generated/api"', '_generated/api.js"')
    right.write_text(text.replace('_generated/dataModel"', '_generated/dataModel.js"'))
    if "es2017" in options:
        right.write_text(right.read_text().replace("long: 1n,", "long: BigInt(1),"))
    compiled = compile_frontend(frontend, *options)
    assert compiled.exit_code == 0, compiled.output


@pytest.mark.prove
def test_javascript_is_checked_by_the_same_types(tmp_path: Path) -> None:
    """A frontend without TypeScript imports the same files; its editor knows them, too."""
    frontend = frontend_of(tmp_path)
    (frontend / "src/main.js").write_text(JAVASCRIPT)
    compiled = compile_frontend(frontend, "--allowJs", "--checkJs")
    assert [(error.line, error.code) for error in compiled.errors] == [(5, "TS2353")]


JAVASCRIPT = """import { ConvexClient } from "convex/browser";
import { api } from "./_generated/api";
const client = new ConvexClient("http://127.0.0.1:3210");
client.query(api.tasks.first, {}).then((task) => console.log(task?.title));
client.query(api.tasks.titles, { paginationOpts: { numItems: 1, cursor: null }, more: 1 });
"""


@pytest.fixture(scope="module")
def wrong_frontend(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """What tsc says of the wrong program."""
    frontend = frontend_of(tmp_path_factory.mktemp("wrong"), WRONG.name)
    return compile_frontend(frontend)


@pytest.mark.parametrize("line", MARKS, ids=lambda line: MARKS[line][1].replace(" ", "-"))
def test_tsc_refuses(line: int, wrong_frontend: Compiled) -> None:
    """Each mistake is an error in its own line, of the kind the mark says."""
    found = [error.code for error in wrong_frontend.errors if error.line == line]
    assert found == [MARKS[line][0]], wrong_frontend.output


def test_tsc_refuses_nothing_else(wrong_frontend: Compiled) -> None:
    """Lines without a mark are right."""
    assert wrong_frontend.exit_code != 0
    assert {error.line for error in wrong_frontend.errors} == set(MARKS)


def test_a_wrong_argument_name_is_explained(wrong_frontend: Compiled) -> None:
    """The error names the argument that was meant."""
    said = next(error.text for error in wrong_frontend.errors if error.code == "TS2561")
    assert "'owners' does not exist" in said
    assert said.endswith("Did you mean to write 'owner'?")


REFERENCES = """
import {{ getFunctionName }} from "convex/server";
import {{ api, internal }} from "{url}";
const names = [
  api.tasks.getTasks,
  api.shop.orders.late.default,
  api.things["not-a-name"],
  internal.tasks.clear,
].map(getFunctionName);
process.stdout.write(JSON.stringify(names));
"""


def test_the_code_behind_the_types_names_the_functions(tmp_path: Path) -> None:
    """`api.js` runs as it is: its references have the wire paths that the server knows."""
    frontend = frontend_of(tmp_path)
    (frontend / "package.json").write_text('{"type": "module"}')
    (frontend / "node_modules").symlink_to(node_modules(), target_is_directory=True)
    names = json.loads(run_node(frontend, REFERENCES.format(url="./src/_generated/api.js")))
    assert names == ["tasks:getTasks", "shop/orders/late", "things:not-a-name", "tasks:clear"]


def run_node(folder: Path, code: str) -> str:
    """Runs a module in a folder; gives what it printed."""
    (folder / "main.mjs").write_text(code)
    ended = subprocess.run(
        ["node", "main.mjs"], cwd=folder, capture_output=True, text=True, timeout=60, check=True
    )
    return ended.stdout
