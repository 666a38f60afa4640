"""`throughline import`: past events from a file into intake."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from throughline.batches import Batch, batches
from throughline.importing import IN_FLIGHT, PATIENCE_S, Importer
from throughline.ledger import Ledger, Totals, target_of
from throughline.session import Session, session_of
from throughline.trouble import Trouble, Usage

SHOWN_REFUSALS = 10
INTERRUPTED = 130

EPILOG = """\
Each line is one event: {"type": "Connected", "request_id": "call-17", "occurred_at": "2026-11-20T09:00:04.000000Z",
"data": {"agent_id": "a-1"}}. Lines may stand in any order, and the same file again changes nothing.

Interrupted (Ctrl-C, kill -9, a busy or dead service), the same command goes on where it stopped: FILE.importing
remembers what was answered. Refused lines are written to FILE.refused.ndjson with their number and what is wrong.

Exit codes: 0 all lines are in; 1 some lines were refused; 2 usage; 3 intake did not answer; 130 interrupted.

Examples:

\b
    throughline import calls.ndjson
    zcat calls.ndjson.gz | throughline import -
    throughline import calls.ndjson --in-flight 8 --patience 3600
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("import", epilog=EPILOG)(import_)


def import_(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="NDJSON, one past event a line; - reads standard input.")],
    in_flight: Annotated[int, typer.Option(min=1, max=32, help="Batches on the way at the same time.")] = IN_FLIGHT,
    patience: Annotated[float, typer.Option(min=0, help="Seconds to wait for a busy or missing intake.")] = PATIENCE_S,
    afresh: Annotated[bool, typer.Option("--afresh", help="Send all lines, even those an earlier run sent.")] = False,
) -> None:
    """Imports past events, of any type and in any order."""
    session = session_of(context)
    path = None if file == "-" else Path(file)
    ledger = Ledger(path and path.with_name(path.name + ".importing"), target_of(session.stack))
    with _opened(path) as source, progress_bar(session.console, _size(path), "importing") as advance:
        ledger.open(afresh=afresh)
        importer = Importer(session.stack, ledger, advance, in_flight=in_flight, patience_s=patience)
        totals = _run(importer, source, session)
    refused = (path or Path("stdin")).with_name((path.name if path else "stdin") + ".refused.ndjson")
    _report(session, totals, refused)
    ledger.close()
    raise typer.Exit(1 if totals.refused else 0)


def _opened(path: Path | None) -> nullcontext[BinaryIO] | BinaryIO:
    if path is None:
        return nullcontext(sys.stdin.buffer)
    try:
        return path.open("rb")
    except OSError as error:
        raise Usage(f"{path} cannot be read: {error.strerror}") from error


def _size(path: Path | None) -> int | None:
    return path.stat().st_size if path else None


def _run(importer: Importer, source: BinaryIO, session: Session) -> Totals:
    """Sends everything; an interruption says how to go on, whatever caused it."""
    try:
        return asyncio.run(importer.send(batches(source)))
    except KeyboardInterrupt:
        session.say(_so_far(importer.ledger))
        raise typer.Exit(INTERRUPTED) from None
    except Trouble:
        session.say(_so_far(importer.ledger))
        raise


def _so_far(ledger: Ledger) -> str:
    done = f"{ledger.totals.lines:,} lines were answered so far"
    return f"{done}; the same command goes on from there" if ledger.path else done


@contextmanager
def progress_bar(console: Console, size: int | None, what: str) -> Iterator[Progressed]:
    """A bar over the bytes of a file (`size`), or a count of lines where the size is not known."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        yield Progressed(progress, progress.add_task(what, total=size, said=""))


class Progressed:
    """Moves the bar by each batch that was answered."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self.progress, self.task = progress, task

    def __call__(self, batch: Batch, totals: Totals) -> None:
        """Told of each batch as it is done."""
        said = f"{totals.accepted:,} accepted, {totals.duplicate:,} known, {len(totals.refused):,} refused"
        self.progress.update(self.task, advance=batch.end - batch.at, said=said)


def _report(session: Session, totals: Totals, path: Path) -> None:
    """Says what became of the lines, and writes the refused ones where they can be mended and sent again."""
    before = f" ({totals.skipped:,} of them sent by an earlier run)" if totals.skipped else ""
    said = f"{totals.accepted:,} accepted, {totals.duplicate:,} known already, {len(totals.refused):,} refused"
    session.say(f"{totals.lines:,} lines: {said}{before}")
    if not totals.refused:
        path.unlink(missing_ok=True)
        return
    ordered = sorted(totals.refused, key=lambda refusal: refusal.line)
    path.write_text("".join(json.dumps(each.as_json(), ensure_ascii=False) + "\n" for each in ordered))
    for each in ordered[:SHOWN_REFUSALS]:
        reasons = "; ".join(f"{wrong['field']}: {wrong['reason']}".removeprefix(": ") for wrong in each.errors)
        session.console.print(f"  line {each.line}: {reasons}", highlight=False, markup=False, soft_wrap=True)
    more = len(ordered) - SHOWN_REFUSALS
    session.say(f"  {f'and {more:,} more; ' if more > 0 else ''}all of them are in {path}")
