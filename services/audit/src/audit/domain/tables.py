"""Events and timelines as rows of a table, for those who read CSV."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from audit.domain.rendering import render
from audit.domain.telling import MEMBERS
from events.lifecycle import CYCLE_METRICS, HEADLINES, METRICS, State

EVENT_COLUMNS: Final = MEMBERS

_PLAIN: Final = (
    "request_id",
    "customer_id",
    "channel",
    "state",
    "complete",
    "received_at",
    "routed_at",
    "connected_at",
    "resolved_at",
)
_COUNTS: Final = ("offers", "declines", "expiries", "transfers", "escalations", "reopens", "agents")
_DURATIONS: Final = tuple(metric.name for metric in HEADLINES)
_TIME_IN: Final = tuple(f"{state}_us" for state in State)
_METRICS: Final = tuple(metric.name for metric in METRICS)
_CYCLES: Final = tuple(metric.name for metric in CYCLE_METRICS)

TIMELINE_COLUMNS: Final = (
    *_PLAIN,
    *_DURATIONS,
    *(f"time_in_{name}" for name in _TIME_IN),
    *_METRICS,
    *_CYCLES,
    *_COUNTS,
    "tags",
    "as_of",
    "residual_us",
)
"""The numbers of a timeline; its legs, segments and events are in the other forms."""


def event_cells(item: Mapping[str, Any]) -> list[Any]:
    """`data` goes as JSON."""
    return [_cell(item[name]) for name in EVENT_COLUMNS]


def timeline_cells(line: Mapping[str, Any]) -> list[Any]:
    """Lists have their members joined by spaces, an unknown one as `-`."""
    cells: list[Any] = [line[name] for name in _PLAIN]
    cells += [line["durations"][name] for name in _DURATIONS]
    cells += [line["time_in"][name] for name in _TIME_IN]
    cells += [line["metrics"][name] for name in _METRICS]
    cells += [_joined(line["metrics"][name]) for name in _CYCLES]
    cells += [line["counts"][name] for name in _COUNTS]
    return [_cell(cell) for cell in [*cells, _joined(line["tags"]), line["as_of"], line["residual_us"]]]


def _joined(members: Sequence[Any]) -> str:
    return " ".join("-" if member is None else str(member) for member in members)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return render(value).decode() if isinstance(value, Mapping) else value
