"""`throughline report`: durations of many requests, grouped."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

import typer

from events.times import to_text, to_us
from throughline import reports
from throughline.client import Client
from throughline.command_timeline import point
from throughline.drawing import HEADLINES
from throughline.reports import Report, as_csv, metric_names, table
from throughline.session import as_json, session_of
from throughline.spans import DAY_US, HOUR_US
from throughline.trouble import Usage

MOST_HOURS = 7 * 24

EPILOG = """\
Groups: channel, queue, tier, agent_id, support_level, severity; several with commas between.

Examples:

\b
    throughline report --from 2026-11-20 --to 2026-11-21
    throughline report --from 2026-11-20 --to 2026-11-21 --group-by channel,queue --metric speed_of_answer_us
    throughline report --from 2026-11-20 --by-hour
    throughline report --from 2026-11-01 --to 2026-12-01 --cohort resolved --group-by agent_id --csv > november.csv
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("report", epilog=EPILOG)(report)


def report(
    context: typer.Context,
    from_: Annotated[str | None, typer.Option("--from", help="From then on: a date or RFC 3339 time; today.")] = None,
    to: Annotated[str | None, typer.Option(help="Until before then; a day after --from.")] = None,
    group_by: Annotated[str | None, typer.Option(help="One row for each value of these, e.g. channel,queue.")] = None,
    cohort: Annotated[
        Literal["received", "connected", "resolved"], typer.Option(help="Requests whose time of this lies in between.")
    ] = "received",
    by_hour: Annotated[
        bool, typer.Option("--by-hour", help="One row for each hour, each a report of its own.")
    ] = False,
    as_of: Annotated[str | None, typer.Option(help="As it was known then.")] = None,
    metric: Annotated[list[str] | None, typer.Option(help="Show these metrics instead; may be repeated.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Audit's answer as it is.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="One row for each group and metric, whole µs.")] = False,
) -> None:
    """Reports durations of many requests, grouped.

    Counts, medians and 90th percentiles over the requests of a stretch of time; with --json or --csv every statistic.
    """
    session = session_of(context)
    start_us = to_us(point(from_ or dt.datetime.now(dt.UTC).date().isoformat()))
    end_us = to_us(point(to)) if to else start_us + DAY_US
    query = {"cohort": cohort, "group_by": group_by, "as_of": point(as_of) if as_of else None}
    found = (hourly if by_hour else durations)(session.client, start_us, end_us, **query)
    if json or csv:
        session.hand_out(as_json(found) if json else as_csv(found))
        return
    session.console.print(table(found, _chosen(metric, metric_names(found)), session.console.width))


def durations(client: Client, start_us: int, end_us: int, **query: str | None) -> Report:
    """Audit's report over [start, end)."""
    stretch = {"from": to_text(start_us), "to": to_text(end_us)}
    report: Report = client.get("audit", "/v1/reports/durations", **stretch, **query)
    return report


def hourly(client: Client, start_us: int, end_us: int, **query: str | None) -> Report:
    """One report for each hour from the start on, put together; Usage where that makes too many or two groupings."""
    if query.pop("group_by", None) or end_us - start_us > MOST_HOURS * HOUR_US:
        raise Usage(f"--by-hour takes at most {MOST_HOURS} hours, and no --group-by")
    hours = range(start_us, end_us, HOUR_US)
    return reports.by_hour({_hour(at): durations(client, at, min(at + HOUR_US, end_us), **query) for at in hours})


def _hour(at_us: int) -> str:
    """`11-20 07h`."""
    return f"{to_text(at_us)[5:13].replace('T', ' ')}h"


def _chosen(asked: list[str] | None, there: list[str]) -> list[str]:
    if not asked:
        return list(HEADLINES)
    if unknown := [name for name in asked if there and name not in there]:
        raise Usage(f"no such metric: {', '.join(unknown)}", f"there are {', '.join(there)}")
    return asked
