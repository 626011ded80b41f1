"""`headwater classroom`: the board of a room, and a learner's seat at it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from headwater_workshop.classroom import opening
from headwater_workshop.kit import KitError
from headwater_workshop.progress import find_project
from headwater_workshop.start import address as address_of

if TYPE_CHECKING:
    from headwater_workshop.classroom.seat import Seat

_MARKS = {True: "[green]good[/green]", False: "[red]mend[/red]", None: "[yellow]note[/yellow]"}

app = typer.Typer(
    add_completion=False,
    help="A live board of who is where in the room; learners take part by choice.",
)

Port = Annotated[int, typer.Option(min=1, max=65534, help="The board's port.")]


@app.callback(invoke_without_command=True)
def classroom(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Option("--dir", help="Where the board is kept; the same one goes on.")
    ] = Path("classroom"),
    lan: Annotated[
        bool, typer.Option("--lan", help="Let the local network reach it, not this machine alone.")
    ] = False,
    address: Annotated[
        str | None, typer.Option(help="This machine's address in that network, if not found.")
    ] = None,
    port: Port = opening.PORT,
) -> None:
    """Open the room's board, until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    with _told():
        reached = (address or opening.lan_address()) if lan or address else None
        if lan and reached is None:
            fix = "join the room's network, or name the address: --address 192.168.1.20"
            raise KitError(
                "This machine has no address in a local network.", where="--lan", fix=fix
            )
        code = opening.lay_app(folder)
        server = opening.serve(folder, code, lan=reached, port=port)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the server too, which ends us
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    if url := address_of(server, folder):
        _greet(url, code, reached is not None)
    raise typer.Exit(server.wait())


def _greet(url: str, code: str, shared: bool) -> None:
    lines = [
        f"The board:  [bold]{url}/#{code}[/bold]",
        f"Learners:   headwater classroom join {url} {code} --name YOU",
    ]
    if not shared:
        lines.append("[yellow]This machine alone can reach it: --lan lets the room in.[/yellow]")
    Console(soft_wrap=True).print(Panel("\n".join(lines), title="classroom", expand=False))


@app.command()
def join(
    url: Annotated[str, typer.Argument(help="The board's address.")],
    code: Annotated[str, typer.Argument(help="The room's code.")],
    name: Annotated[str, typer.Option(help="How the board calls you.")],
) -> None:
    """Take a seat: the board sees your lesson, objectives, rule and hints, and never your code."""
    from headwater_workshop.classroom import seat

    with _told():
        taken = seat.join(find_project(), url, code, name)
    print(f"You are on the board as {taken.name}. It is told after each grading; to stop:")
    print("  headwater classroom leave")


@app.command()
def hand(
    down: Annotated[bool, typer.Option("--down", help="Take it down again.")] = False,
) -> None:
    """Raise your hand on the board."""
    from headwater_workshop.classroom import seat

    with _told():
        seat.raise_hand(_seat(find_project()), up=not down)
    print("Your hand is down." if down else "Your hand is up; somebody will come.")


@app.command()
def leave() -> None:
    """Give your seat back; nothing is sent any more."""
    from headwater_workshop.classroom import seat

    with _told():
        project = find_project()
        seat.leave(project, _seat(project))
    print("Your seat is free, and nothing is sent any more.")


@app.command()
def preflight(
    wheelhouse: Annotated[
        Path | None, typer.Option(help="The folder that `headwater wheelhouse` filled.")
    ] = None,
    port: Port = opening.PORT,
) -> None:
    """Try, the evening before, what a workshop needs. Exits 1 when something is missing."""
    from headwater_workshop.classroom.preflight import preflight as tried

    console, good = Console(soft_wrap=True, highlight=False), True
    with _told():
        for each in tried(port, wheelhouse):
            good = good and each.good is not False
            console.print(f"{_MARKS[each.good]}  {each.name}: {escape(each.said)}")
            if each.fix:
                console.print(f"      [dim]{escape(each.fix)}[/dim]")
    raise typer.Exit(0 if good else 1)


def _seat(project: Path) -> Seat:
    from headwater_workshop.classroom import seat

    found = seat.seat_of(project)
    if found is None:
        fix = "take one: headwater classroom join ADDRESS CODE --name YOU"
        raise KitError("You have no seat in a room.", where=str(project), fix=fix)
    return found


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (KitError, OSError) as error:
        Console(stderr=True, soft_wrap=True).print(f"[red]Error:[/red] {escape(str(error))}")
        raise typer.Exit(2) from None
