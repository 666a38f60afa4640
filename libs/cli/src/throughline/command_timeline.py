"""`throughline timeline`: one request's life, to the microsecond."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from throughline.drawing import drawing
from throughline.session import as_json, session_of
from throughline.spans import moment
from throughline.trouble import Usage

EPILOG = """\
Examples:

\b
    throughline timeline call-17
    throughline timeline call-17 --as-of 2026-11-20T12:00:00Z
    throughline timeline call-17 --json | jq .durations
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("timeline", epilog=EPILOG)(timeline)


def timeline(
    context: typer.Context,
    request_id: Annotated[str, typer.Argument(metavar="ID", help="The request's id.")],
    as_of: Annotated[str | None, typer.Option(help="What was known then: a date or an RFC 3339 time.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Audit's answer as it is.")] = False,
) -> None:
    """Shows one request's life, to the microsecond.

    Its steps, its headline durations, its legs and a bar of its segments.
    """
    session = session_of(context)
    path = f"/v1/requests/{quote(request_id, safe='')}/timeline"
    found = session.client.get("audit", path, as_of=point(as_of) if as_of else None)
    if json:
        session.hand_out(as_json(found))
    else:
        session.console.print(drawing(found, session.console.width))


def point(text: str) -> str:
    """A point in time from the command line; Usage where it is none."""
    try:
        return moment(text)
    except ValueError as error:
        raise Usage(f"{text!r} is neither a date nor an RFC 3339 time: {error}") from error
