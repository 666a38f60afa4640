"""Draws a timeline for people: its steps, its headline durations, its legs and a bar of its segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from events.times import to_us
from throughline.spans import readable

Timeline = Mapping[str, Any]

COLOURS = {
    "waiting": "yellow",
    "offered": "cyan",
    "connected": "green",
    "paused": "magenta",
    "resolved": "bright_black",
    "abandoned": "red",
}
HEADLINES = ("received_to_routed_us", "routed_to_connected_us", "connected_to_resolved_us", "received_to_resolved_us")
DETAILS = (
    "agent_id",
    "queue",
    "tier",
    "reason",
    "to_tier",
    "to",
    "by",
    "note",
    "code",
    "summary",
    "score",
    "text",
    "body",
)
BAR_CELLS = 72


def drawing(timeline: Timeline) -> RenderableType:
    """The whole picture of one request."""
    parts: list[RenderableType] = [
        _head(timeline),
        _headlines(timeline),
        _bar(timeline),
        _steps(timeline),
        _legs(timeline),
    ]
    return Group(*parts, _foot(timeline))


def _head(timeline: Timeline) -> Text:
    head = Text.assemble((str(timeline["request_id"]), "bold"), "  ", str(timeline["channel"]))
    head.append(f"  customer {timeline['customer_id'] or 'unknown'}  ")
    head.append(str(timeline["state"]), COLOURS.get(str(timeline["state"]), ""))
    if not timeline["complete"]:
        head.append(f"  incomplete, missing {list(timeline['missing'])}", "red")
    return head


def _headlines(timeline: Timeline) -> Table:
    table = Table(title="Headline durations of the first cycle", title_justify="left", box=None, pad_edge=False)
    table.add_column("name")
    table.add_column("µs", justify="right")
    table.add_column("readably", justify="right")
    for name in HEADLINES:
        table.add_row(name, *_both(timeline["durations"][name]))
    return table


def _both(us: int | None) -> tuple[str, str]:
    """A duration exactly and readably; a step that did not happen is a dash, never 0."""
    return ("-", "-") if us is None else (f"{us:,}", readable(us))


def _bar(timeline: Timeline) -> Group:
    """Closed segments in proportion to their length, at least one cell each, and what each colour adds up to."""
    closed = [segment for segment in timeline["segments"] if segment["us"] is not None]
    total = sum(segment["us"] for segment in closed)
    bar = Text()
    for segment in closed:
        bar.append("█" * max(1, round(BAR_CELLS * segment["us"] / max(1, total))), COLOURS[segment["state"]])
    if timeline["segments"] and timeline["segments"][-1]["end"] is None:
        bar.append("▶", COLOURS[timeline["segments"][-1]["state"]])
    legend = Text()
    for state, colour in COLOURS.items():
        if us := timeline["time_in"][f"{state}_us"]:
            legend.append("■ ", colour).append(f"{state} {readable(us)}   ")
    return Group(bar, legend)


def _steps(timeline: Timeline) -> Table:
    table = Table(title="Steps", title_justify="left", box=None, pad_edge=False)
    for heading in ("time (UTC)", "after", "event", "what", "place in the log"):
        table.add_column(heading, justify="right" if heading == "after" else "left", overflow="fold")
    before: int | None = None
    for event in timeline["events"]:
        at_us = to_us(event["occurred_at"])
        after = "" if before is None else f"+{readable(at_us - before)}"
        style = "" if event["effect"] == "applied" else "dim"
        table.add_row(_time(event), after, event["type"], _what(event["data"]), event["position"], style=style)
        before = at_us
    return table


def _time(event: Mapping[str, Any]) -> str:
    stated = event["raw_occurred_at"]
    at = str(event["occurred_at"]).replace("T", " ").removesuffix("Z")
    return f"{at}\n(stated {str(stated)[11:-1]})" if stated else at


def _what(data: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_plain(data[name])}" for name in DETAILS if data.get(name) not in (None, ""))


def _plain(value: Any) -> str:
    return " ".join(f"{name} {each}" for name, each in value.items()) if isinstance(value, dict) else str(value)


def _legs(timeline: Timeline) -> Table:
    table = Table(title="Legs", title_justify="left", box=None, pad_edge=False)
    for heading in ("leg", "cycle", "tier", "queue", "agent", "opened by", "closed by", "handle time"):
        table.add_column(heading)
    for leg in timeline["legs"]:
        cells = [leg[name] for name in ("leg", "cycle", "tier", "queue", "agent_id", "opened_by", "closed_by")]
        table.add_row(*("-" if cell is None else str(cell) for cell in cells), _both(leg["handle_us"])[1])
    return table


def _foot(timeline: Timeline) -> Text:
    tags: Sequence[str] = timeline["tags"]
    foot = Text(f"residual {timeline['residual_us']} µs, known as of {timeline['as_of']}", "dim")
    return foot.append(f", tags: {', '.join(tags)}") if tags else foot
