"""HW404: system fields are automatic, and indexes say what they hold. Warnings only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from headwater.check.chains import Chain
from headwater.check.facts import Facts
from headwater.check.project import Module
from headwater.check.tables import Table, TableIndex
from headwater.rules import Finding

_SYSTEM = {"id", "_id", "creation_time", "_creation_time", "_creationTime"}
_CREATED = {"created_at", "createdAt", "created", "created_on", "date_created", "inserted_at"}


def check_declared(facts: Facts) -> list[Finding]:
    """Findings about the fields and indexes that tables declare."""
    found: list[Finding] = []
    chains: dict[str, list[Chain]] = {}
    for function in facts.project.functions.values():
        for chain in facts.chains(function):
            chains.setdefault(chain.table.class_name, []).append(chain)
    for qualname, table in facts.tables.by_class.items():
        module, node = facts.project.classes[qualname]
        found += _fields(facts, module, node)
        found += _indexes(facts, module, node, table)
        found += _prefixes(facts, module, node, table, chains.get(table.class_name, []))
    return found


def _fields(facts: Facts, module: Module, node: ast.ClassDef) -> Iterator[Finding]:
    for statement in node.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        name = statement.target.id
        if name in _SYSTEM:
            what = f"{node.name} declares {name}, which every document has"
            fix = "leave it out: .id and .creation_time are given on insert"
            yield facts.finding("HW404", what, module, statement, fix=fix)
        elif name in _CREATED:
            what = f"{node.name}.{name} repeats creation_time"
            fix = (
                "leave it out and read .creation_time (ms since 1970); a time of the domain has a\n"
                "name of its own, such as sent_at or starts_at"
            )
            yield facts.finding("HW404", what, module, statement, fix=fix)


def _indexes(facts: Facts, module: Module, node: ast.ClassDef, table: Table) -> Iterator[Finding]:
    for name, index, statement in _own_indexes(node, table):
        if index.is_search or not index.fields:
            continue
        call = statement.value
        if index.fields[-1] == "creation_time" and isinstance(call, ast.Call):
            what = f"{name} lists creation_time, with which every index ends"
            fix = f"{name} = Index({', '.join(map(repr, index.fields[:-1]))})".replace("'", '"')
            if len(index.fields) == 1:
                fix = f'leave {name} out: "by_creation_time" is there in every table'
            yield facts.finding("HW404", what, module, call.args[-1], fix=fix)
        elif not _words(name) & {word for field in index.fields for word in _words(field)}:
            what = f"the name {name} says none of its fields"
            fields = "_and_".join(field.replace(".", "_") for field in index.fields)
            why = "whoever reads with_index() has to know what it goes by"
            fix = f"call it by_{fields}"
            yield facts.finding("HW404", what, module, statement, why=why, fix=fix)


def _own_indexes(
    node: ast.ClassDef, table: Table
) -> Iterator[tuple[str, TableIndex, ast.Assign | ast.AnnAssign]]:
    for statement in node.body:
        target = None
        if isinstance(statement, ast.Assign):
            target = statement.targets[0]
        elif isinstance(statement, ast.AnnAssign):
            target = statement.target
        if isinstance(target, ast.Name) and target.id in table.indexes:
            assert isinstance(statement, ast.Assign | ast.AnnAssign)
            yield target.id, table.indexes[target.id], statement


def _prefixes(
    facts: Facts, module: Module, node: ast.ClassDef, table: Table, chains: list[Chain]
) -> Iterator[Finding]:
    """An index that another one begins with, where nobody needs its order."""
    plain = {n: i for n, i in table.indexes.items() if i.fields and not i.is_search}
    for name, index, statement in _own_indexes(node, table):
        fields = index.fields or ()
        longer = [
            other.name
            for other in plain.values()
            if name in plain
            and len(other.fields or ()) > len(fields)
            and (other.fields or ())[: len(fields)] == fields
        ]
        if longer and not any(_needs_order(chain, name) for chain in chains):
            what = f"{name} is the beginning of {longer[0]}"
            why = "each index is written on every insert, and the longer one finds the same"
            fix = f'read by .with_index("{longer[0]}", ...) with fewer fields, and leave {name} out'
            yield facts.finding("HW404", what, module, statement, why=why, fix=fix)


def _needs_order(chain: Chain, name: str) -> bool:
    """True for a read of the index that gives several documents: then their order counts."""
    for link in chain.links:
        first = link.call.args[0] if link.method == "with_index" and link.call.args else None
        if first is not None and not isinstance(first, ast.Constant):
            return True
        if isinstance(first, ast.Constant) and first.value == name:
            return chain.links[-1].method != "unique"
    return False


def _words(name: str) -> set[str]:
    spaced = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
    return {word.removesuffix("s") for word in re.split(r"[._]+", spaced)} - {"by", "and", ""}
