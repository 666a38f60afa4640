"""Draws a timeline for people: its steps, its headline durations, its legs and a bar of its segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.columns import Columns
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
STANDING = ("channel", "queue", "tier")  # told by many events, shown where it is new
DETAILS = (
    "reason",
    "from_tier",
    "to_tier",
    "to",
    "by",
    "note",
    "code",
    "summary",
    "score",
    "text",
    "promise",
    "article_id",
    "articles",
    "suggestions",
)
WIDE = 120  # columns from which on the places in the log are shown too
BAR_CELLS = 72


def drawing(timeline: Timeline, width: int = WIDE) -> RenderableType:
    """The whole picture of one request, for a terminal of so many columns."""
    parts = (_headlines(timeline), _bar(timeline), _steps(timeline, width), _legs(timeline), _foot(timeline))
    return Group(_head(timeline), *(each for part in parts for each in (Text(), part)))


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
    return Group(bar, Columns([_summed(timeline, state) for state in COLOURS if timeline["time_in"][f"{state}_us"]]))


def _summed(timeline: Timeline, state: str) -> Text:
    return Text.assemble(("■", COLOURS[state]), f" {state} {readable(timeline['time_in'][f'{state}_us'])}  ")


def _steps(timeline: Timeline, width: int) -> Table:
    wide = width >= WIDE
    table = Table(title="Steps", title_justify="left", box=None, pad_edge=False)
    table.add_column("time (UTC)", no_wrap=True)
    table.add_column("after", justify="right", no_wrap=True)
    table.add_column("event", no_wrap=True)
    table.add_column("what", overflow="fold")
    if wide:
        table.add_column("place in the log", no_wrap=True)
    before: Mapping[str, Any] | None = None
    known: dict[str, Any] = {}
    for event in timeline["events"]:
        cells = (_time(event, before), _after(event, before), event["type"], _what(event["data"], known))
        place = (event["position"],) if wide else ()
        table.add_row(*cells, *place, style="" if event["effect"] == "applied" else "dim")
        before = event
    return table


def _time(event: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    """The time of day, under the date where it is a new one, over the stated time where that is another."""
    date, _, time = str(event["occurred_at"]).removesuffix("Z").partition("T")
    lines = [time] if before and str(before["occurred_at"]).startswith(date) else [date, time]
    stated = event["raw_occurred_at"]
    return "\n".join([*lines, f"({str(stated)[11:-1]})"] if stated else lines)


def _after(event: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    if before is None:
        return ""
    us = f"+{readable(to_us(event['occurred_at']) - to_us(before['occurred_at']))}"
    return us if str(before["occurred_at"])[:10] == str(event["occurred_at"])[:10] else f"\n{us}"


def _what(data: Mapping[str, Any], known: dict[str, Any]) -> str:
    """What the event says, the agent first and plainly, the rest by name; `known` is what was said of its standing."""
    said = [str(data["agent_id"])] if data.get("agent_id") else []
    news = {name: data[name] for name in STANDING if data.get(name) not in (None, known.get(name))}
    known |= news
    said += [f"{name} {value}" for name, value in news.items()]
    untold: tuple[Any, ...] = (None, "", [], data.get("agent_id"))
    said += [f"{name} {_plain(data[name])}" for name in DETAILS if data.get(name) not in untold]
    return ", ".join(said)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(str(each.get("article_id")) if isinstance(each, dict) else str(each) for each in value)
    if isinstance(value, dict):
        return " ".join(f"{name} {each}" for name, each in value.items())
    return f'"{value}"' if " " in str(value) else str(value)


def _legs(timeline: Timeline) -> Table:
    table = Table(title="Legs", title_justify="left", box=None, pad_edge=False)
    for heading in ("leg", "cycle", "tier", "queue", "agent", "until"):
        table.add_column(heading)
    table.add_column("handle time", justify="right", no_wrap=True)
    for leg in timeline["legs"]:
        cells = [leg[name] for name in ("leg", "cycle", "tier", "queue", "agent_id", "closed_by")]
        table.add_row(*("-" if cell is None else str(cell) for cell in cells), _both(leg["handle_us"])[1])
    return table


def _foot(timeline: Timeline) -> Text:
    tags: Sequence[str] = timeline["tags"]
    foot = Text(f"residual {timeline['residual_us']} µs, known as of {timeline['as_of']}", "dim")
    return foot.append(f", tags: {', '.join(tags)}") if tags else foot
