"""`throughline demo`: a bank's day, lived on the running stack in about two minutes, shown and proved."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.live import Live

from throughline.demo.board import Moment, board, line
from throughline.demo.closing import close
from throughline.demo.playing import IN_TIME_S, Run, Scenario, new_run
from throughline.demo.proof import Proof
from throughline.demo.scale import STANDARD_SECONDS
from throughline.demo.tally import Tally
from throughline.demo.wire import connected
from throughline.session import Session, session_of
from throughline.trouble import Unreachable

SERVICES = ("intake", "router", "escalation", "audit", "kb-search")
INTERRUPTED = 130
LINES = 12  # so many lines for a day, where the output is no terminal
REDRAWN_A_SECOND = 4

EPILOG = """\
Customers and agents are simulated and act over the API alone; the same seed makes the same customers, who do the same.
Queues, agents and customers carry a name of the run's own, so that a day may be played on a stack in use, any number of
times. When it is over all agents are offline again, and the contacts, the articles and the proof's events stay.

Exit codes: 0 it was played and the proof holds; 1 it does not hold, or something was refused; 3 a service does not
answer; 130 interrupted.

Examples:

\b
    throughline demo
    throughline demo --seed 7
    throughline demo --seconds 20 --contacts 60
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("demo", epilog=EPILOG)(demo)


def demo(
    context: typer.Context,
    seed: Annotated[int, typer.Option(help="Of every random choice.")] = 1,
    contacts: Annotated[int, typer.Option(min=10, max=5_000, help="How many get in touch.")] = 400,
    seconds: Annotated[
        float, typer.Option(min=10, max=3_600, help="How long the bank is open, 7 to midnight, in real time.")
    ] = STANDARD_SECONDS,
) -> None:
    """Plays a bank's day and proves that nothing was lost.

    With simulated customers and agents, and a table to watch.
    """
    session = session_of(context)
    require(session)
    try:
        run, proof = asyncio.run(_played(session, Scenario(seed, contacts, seconds)))
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    close(session, run, proof)


def require(session: Session) -> None:
    """All five services are there and ready; Unreachable naming those that are not."""
    wrong = [f"{service}: {what}" for service in SERVICES if (what := _lacks(session, service))]
    if wrong:
        raise Unreachable(f"the demo needs all five services; {'; '.join(wrong)}", "`make up` starts what is missing")


def _lacks(session: Session, service: str) -> str | None:
    """What keeps a service from playing its part, in words."""
    if service not in session.stack.services:
        return "no address is known"
    answer = session.client.probe(service, "/readyz")
    if answer is None:
        return f"no answer from {session.stack.url(service)}"
    try:
        body = answer.json()
    except json.JSONDecodeError:
        return f"{session.stack.url(service)} is no service of ours"
    if body.get("status") == "ready":
        return None
    wrong = [name for name, check in (body.get("checks") or {}).items() if check.get("status") != "ok"]
    return f"{body.get('status')} ({', '.join(wrong)})"


async def _played(session: Session, given: Scenario) -> tuple[Run, Proof]:
    async with connected(session.stack, new_run()) as wire:
        with _screen(session, given) as watched:
            run = Run(wire, given, watched)
            _introduce(session, run)
            written = await run.prepare()
            session.say(f"  {len(run.desks)} agents on three tiers registered, {written} new articles written\n")
            await run.play()
        with session.console.status("reading every timeline"):
            return run, await run.check()


def _introduce(session: Session, run: Run) -> None:
    given, scale = run.given, run.scale
    session.say(
        f"\n[bold]A bank's day[/bold], 07:00 to midnight in {given.seconds:g} s: {given.contacts:,} contacts, "
        f"seed {given.seed}, run {run.wire.run}"
    )
    hour_s, minute_s = 3_600 / scale.clock, 60 / scale.people
    session.say(
        f"  The clock runs {scale.clock:g} times as fast, an hour in {hour_s:.1f} s; people talk, wait and lose "
        f"patience {scale.people:g} times as fast, a minute in {minute_s:.2f} s. When they come, and how long they "
        "talk and bear it, follows a real bank's call log; the bank is smaller by as much as its clock outruns its "
        "people."
    )
    session.say(
        f"  Service level: the share of those connected within {scale.lasts(IN_TIME_S):.2f} s, a minute of theirs."
    )


@contextmanager
def _screen(session: Session, given: Scenario) -> Iterator[Callable[[Tally, Moment], None]]:
    """A table that is drawn over itself on a terminal; elsewhere a line from time to time."""
    if session.console.is_interactive:
        with Live(console=session.console, refresh_per_second=REDRAWN_A_SECOND) as live:
            yield lambda tally, moment: live.update(board(tally, moment, session.console.width))
        return
    yield Lines(session, given.seconds / LINES)


class Lines:
    """Prints a line when the day has gone on far enough, and none after it is over but the last."""

    def __init__(self, session: Session, every_s: float) -> None:
        self.session, self.every_us = session, every_s * 1_000_000
        self._next_us = 0.0

    def __call__(self, tally: Tally, moment: Moment) -> None:
        """Told several times a second."""
        if moment.now_us >= self._next_us:
            self._next_us = moment.now_us + self.every_us
            self.session.say(line(tally, moment))
