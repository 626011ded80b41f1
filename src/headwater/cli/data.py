"""`headwater data`: tables and documents, from the running server or the file."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from headwater.cli.reach import fail, limits, opened, reach
from headwater.data import browse
from headwater.errors import TableMissing

_CELL = 60


class Order(StrEnum):
    """By creation time."""

    asc = "asc"
    desc = "desc"


class Format(StrEnum):
    """How documents are printed."""

    table = "table"
    jsonl = "jsonl"


def data(
    table: Annotated[str | None, typer.Argument(help="A table; none: list the tables.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=browse.MOST, help="How many documents.")] = 100,
    order: Annotated[Order, typer.Option(help="The oldest first, or the newest.")] = Order.desc,
    form: Annotated[
        Format | None, typer.Option("--format", help="table for people, jsonl for programs.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
    url: Annotated[
        str | None, typer.Option(help="The server; the project's own if not given.")
    ] = None,
) -> None:
    """List the tables with their sizes, or the documents of one."""
    limits()
    if table is None:
        looks = _tables(url)
        if as_json or form is Format.jsonl:
            _print_json(looks, one_per_line=not as_json)
        else:
            _print_tables(looks)
        return
    lines = _documents(url, table, limit, newest=order is Order.desc)
    if as_json:
        typer.echo(f"[{','.join(line.decode() for line in lines)}]")
    elif form is Format.jsonl or (form is None and not Console().is_terminal):
        typer.echo("".join(f"{line.decode()}\n" for line in lines), nl=False)
    else:
        _print_documents(table, [orjson.loads(line) for line in lines])


def _tables(url: str | None) -> list[dict[str, Any]]:
    place = reach(url)
    if isinstance(place, Path):
        with opened(place) as project:
            return [asdict(look) for look in browse.tables(project.database)]
    found: list[dict[str, Any]] = place.ask("GET", "/api/data/tables")["tables"]
    return found


def _documents(url: str | None, table: str, limit: int, *, newest: bool) -> list[bytes]:
    place = reach(url)
    if isinstance(place, Path):
        with opened(place) as project:
            found = browse.documents(project.database, table, limit, newest=newest)
        if found is None:
            fail(TableMissing(table))
        return found
    query = {"table": table, "limit": limit, "order": "desc" if newest else "asc"}
    with place.streaming("GET", "/api/data/documents", query=query) as answer:
        return [line.encode() for line in answer.iter_lines() if line]


def _print_json(rows: list[dict[str, Any]], *, one_per_line: bool) -> None:
    if one_per_line:
        for row in rows:
            typer.echo(orjson.dumps(row).decode())
    else:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())


def _print_tables(looks: list[dict[str, Any]]) -> None:
    shown = Table("table", "documents", "declared", "indexes", box=None, header_style="bold")
    for look in looks:
        count = f"{look['documents']:,}"
        declared = "yes" if look["declared"] else "no"
        indexes = ", ".join(name for name in look["indexes"] if name != "by_creation_time")
        shown.add_row(Text(look["name"]), count, declared, Text(indexes))
    Console(soft_wrap=not Console().is_terminal).print(shown)


def _print_documents(table: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        typer.echo(f"{table} has no documents.", err=True)
        return
    names = browse.columns(rows)
    shown = Table(*map(escape, names), header_style="bold")
    for row in rows:
        shown.add_row(*(Text(_cell(row[name]) if name in row else "") for name in names))
    Console().print(shown)


def _cell(value: Any) -> str:
    """A value on one line, without what a terminal would obey."""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[: _CELL + 1])
    return text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"
