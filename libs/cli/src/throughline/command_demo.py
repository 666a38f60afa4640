"""`throughline demo`: a bank's day goes in, live contacts after it, and what comes out is shown and checked."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import json
import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from throughline.batches import batches
from throughline.command_import import progress_bar
from throughline.command_report import durations, hourly
from throughline.day import CONTACTS_A_DAY, day
from throughline.day_story import Line
from throughline.drawing import drawing
from throughline.importing import Importer
from throughline.ledger import Ledger, target_of
from throughline.live import Lived, new_run, post_live
from throughline.proof import prove, settle
from throughline.reports import table
from throughline.session import Session, session_of
from throughline.spans import DAY_US, last_business_day, midnight_us
from throughline.trouble import Trouble

SETTLE_S = 120.0
SHOWN_METRICS = ("speed_of_answer_us", "handle_us", "abandon_us")
EVENTFUL = {"Escalated", "Paused", "Transferred", "Reopened", "OfferClosed", "FeedbackReceived"}

EPILOG = """\
The day is the last Monday to Friday that is over, unless --date says otherwise. The same day and seed make the same
lines, so playing it again imports nothing twice; the live contacts are new each time.

Examples:

    throughline demo
    throughline demo --date 2026-11-20 --seed 7 --contacts 5000
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("demo", epilog=EPILOG)(demo)


def demo(
    context: typer.Context,
    date: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day that is played.")] = None,
    seed: Annotated[int, typer.Option(help="Of every random choice.")] = 1,
    contacts: Annotated[int, typer.Option(min=1, max=20_000, help="How many get in touch.")] = CONTACTS_A_DAY,
) -> None:
    """Plays a bank's day: imports it, posts live contacts, shows what came of it and checks that nothing is lost."""
    session = session_of(context)
    chosen = date.date() if date else last_business_day(dt.datetime.now(dt.UTC).date())
    begin_us = midnight_us(chosen)
    lines = day(begin_us, seed, contacts)
    session.say(f"\n[bold]A bank's day[/bold], {chosen}: {contacts:,} contacts, {len(lines):,} events, seed {seed}")
    _import(session, lines)
    lived = post_live(session.client, new_run(), lambda text: session.say(f"  {text}"))
    _settle(session)
    _show_timeline(session, most_eventful(lines))
    _show_reports(session, begin_us)
    _check(session, lines, lived)
    _show_addresses(session, most_eventful(lines), lived)


def _import(session: Session, lines: Sequence[Line]) -> None:
    source = io.BytesIO(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    size = source.getbuffer().nbytes
    with progress_bar(session.console, size, "importing") as advance:
        importer = Importer(session.stack, Ledger(None, target_of(session.stack)), advance)
        totals = asyncio.run(importer.send(batches(source)))
    if totals.refused:
        raise Trouble(f"{len(totals.refused)} of the day's lines were refused, the first: {totals.refused[0]}")


def _settle(session: Session) -> None:
    with session.console.status("waiting for audit") as status:
        settle(
            session.client,
            SETTLE_S,
            lambda rows, lag: status.update(f"waiting for audit: {rows:,} events to publish, {lag:,} records to read"),
        )


def most_eventful(lines: Sequence[Line]) -> str:
    """The resolved call with the most different things in its life; the first of those with as many."""
    calls = {line["request_id"] for line in lines if line["data"].get("channel") == "voice"}
    kinds: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        kinds[line["request_id"]].add(line["type"])
    return max(kinds, key=lambda name: ("Resolved" in kinds[name], name in calls, len(kinds[name] & EVENTFUL)))


def _show_timeline(session: Session, request_id: str) -> None:
    session.say("\n[bold]One contact, finished[/bold]")
    found = session.client.get("audit", f"/v1/requests/{request_id}/timeline")
    session.console.print(drawing(found, session.console.width))


def _show_reports(session: Session, begin_us: int) -> None:
    session.say("\n[bold]The day by channel[/bold]")
    by_channel = durations(session.client, begin_us, begin_us + DAY_US, group_by="channel")
    session.console.print(table(by_channel, SHOWN_METRICS))
    session.say("\n[bold]The day by hour[/bold] (a report for each hour)")
    session.console.print(table(hourly(session.client, begin_us, begin_us + DAY_US), SHOWN_METRICS))


def _check(session: Session, lines: Sequence[Line], lived: Lived) -> None:
    event_ids = [line["event_id"] for line in lines] + list(lived.event_ids)
    with session.console.status("reading the whole log") as status:
        proof = prove(session.client, event_ids, lambda read: status.update(f"reading the whole log: {read:,} events"))
    session.say("\n[bold]Nothing lost, nothing twice[/bold]")
    session.say(f"  {proof.due:,} events accepted, {len(proof.missing):,} missing, {len(proof.doubled):,} twice")
    session.say(f"  greatest residual of any timeline: {proof.residual_us:g} µs")
    if not proof.holds:
        raise Trouble("the check failed", f"missing: {proof.missing[:5]}, twice: {proof.doubled[:5]}")


def _show_addresses(session: Session, request_id: str, lived: Lived) -> None:
    session.say("\n[bold]To look at[/bold]")
    for name, url in session.stack.services.items():
        session.say(f"  {name:<11} {url}/docs   {url}/metrics")
    session.say(f"  that timeline   {_command()} timeline {request_id}")
    session.say(f"  a live one      {_command()} timeline {lived.request_ids[0]}")
    session.say(f"  as JSON         {session.stack.url('audit')}/v1/requests/{request_id}/timeline")


def _command() -> str:
    """How to call this command from where we are: by its name, or by its path where that does not lead to it."""
    beside = Path(sys.executable).with_name("throughline")
    return "throughline" if shutil.which("throughline") else os.path.relpath(beside)
