"""`throughline day`: a past day of a made-up bank as lines to import."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from throughline.day import CONTACTS_A_DAY, day
from throughline.day_story import Line
from throughline.session import session_of
from throughline.spans import last_business_day, midnight_us

EVENTFUL = {"Escalated", "Paused", "Transferred", "Reopened", "OfferClosed", "FeedbackReceived"}

EPILOG = """\
The day is the last Monday to Friday that is over, unless --date says otherwise. The same day, seed and number of
contacts make the same lines, so that importing them again changes nothing.

Examples:

\b
    throughline day | throughline import -
    throughline day --date 2026-11-20 --seed 7 --contacts 5000 > day.ndjson
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("day", epilog=EPILOG)(write)


def write(
    context: typer.Context,
    date: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day that is told.")] = None,
    seed: Annotated[int, typer.Option(help="Of every random choice.")] = 1,
    contacts: Annotated[int, typer.Option(min=1, max=20_000, help="How many get in touch.")] = CONTACTS_A_DAY,
) -> None:
    """Writes a made-up bank's past day, to be imported.

    As NDJSON: a whole day to look at, without waiting for one.
    """
    chosen = date.date() if date else last_business_day(dt.datetime.now(dt.UTC).date())
    lines = day(midnight_us(chosen), seed, contacts)
    session_of(context).hand_out("".join(json.dumps(line) + "\n" for line in lines))
    told = f"{chosen}: {contacts:,} contacts, {len(lines):,} lines; the most eventful is {most_eventful(lines)}"
    Console(stderr=True).print(told, highlight=False, soft_wrap=True)


def most_eventful(lines: Sequence[Line]) -> str:
    """The resolved call with the most different things in its life; the first of those with as many."""
    calls = {line["request_id"] for line in lines if line["data"].get("channel") == "voice"}
    kinds: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        kinds[line["request_id"]].add(line["type"])
    return max(kinds, key=lambda name: ("Resolved" in kinds[name], name in calls, len(kinds[name] & EVENTFUL)))
