"""Times a request by walking its lines with a stopwatch: a second opinion on the fold, for tame histories only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from events.times import to_us

Line = dict[str, Any]

THEN = {
    "ContactReceived": "waiting",
    "OfferClosed": "waiting",
    "Requeued": "waiting",
    "Transferred": "waiting",
    "Reopened": "waiting",
    "Routed": "offered",
    "Connected": "connected",
    "Resumed": "connected",
    "Paused": "paused",
    "Resolved": "resolved",
    "Abandoned": "abandoned",
}


def clicked(lines: Iterable[Line]) -> dict[str, Any]:
    """`state`, `durations` and `time_in` in µs, as a timeline names them.

    The lines must be in the order of their causes, each the cause of the next, and all allowed where they stand. A
    clock that runs behind is taken for the time of the line before.
    """
    now, state, since = 0, "", 0
    spent = dict.fromkeys(("waiting", "offered", "connected", "paused", "resolved", "abandoned"), 0)
    first: dict[str, int] = {}
    for line in lines:
        now = max(now, to_us(line["occurred_at"]))
        kind = line["type"]
        if kind not in THEN:
            continue
        if state:
            spent[state] += now - since
        state, since = THEN[kind], now
        if "ended" not in first and not (kind == "Routed" and "Connected" in first):
            first.setdefault(kind, now)
        if kind in ("Resolved", "Abandoned"):
            first.setdefault("ended", now)
    return {
        "state": state,
        "time_in": {f"{name}_us": us for name, us in spent.items()},
        "durations": {
            "received_to_routed_us": _between(first, "ContactReceived", "Routed"),
            "routed_to_connected_us": _between(first, "Routed", "Connected"),
            "connected_to_resolved_us": _between(first, "Connected", "Resolved"),
            "received_to_resolved_us": _between(first, "ContactReceived", "Resolved"),
        },
    }


def _between(first: dict[str, int], start: str, end: str) -> int | None:
    return first[end] - first[start] if start in first and end in first else None
