"""Example answers for the OpenAPI document, made by the very code that makes the answers."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI

from audit.domain.place import Place
from audit.domain.report import Figures, groups
from audit.domain.telling import Kept, told
from events.lifecycle import Entry, fold, timeline
from events.times import to_text, to_us

_REQUEST = "0193512a-7c11-7000-8000-00000000002a"
_RECEIVED_US = to_us("2026-11-22T05:55:51.000001Z")
_AGENT = {"agent_id": "a-1"}
_STEPS: tuple[tuple[str, int, Mapping[str, Any]], ...] = (
    ("ContactReceived", 0, {"channel": "voice", "customer": {"id": "c-42"}}),
    ("Routed", 4_200_000, _AGENT | {"queue": "default", "tier": 1}),
    ("Connected", 9_700_000, _AGENT),
    ("Resolved", 250_000_000, _AGENT | {"code": "done"}),
)


def timeline_example() -> dict[str, Any]:
    """A plain call: received, routed, connected, resolved."""
    entries = _entries()
    as_of_us = entries[-1].occurred_us + 31_000
    return timeline(fold(entries), request_id=_REQUEST, as_of_us=as_of_us, open_data=lambda entry: entry.data)


def requests_example() -> dict[str, Any]:
    """The same call in a list."""
    line = timeline_example()
    members = ("request_id", "customer_id", "state", "channel")
    times = ("received_at", "routed_at", "connected_at", "resolved_at")
    item = {name: line[name] for name in members} | {"queue": "default", "tier": 1, "agent_id": "a-1"}
    return {"items": [item | {name: line[name] for name in times}], "next_cursor": None}


def events_example() -> dict[str, Any]:
    """Its Routed in the log."""
    entry = _entries()[1]
    kept = Kept(Place(entry.occurred_us, "contacts", 3, 118), _REQUEST, False, None)
    return {"items": [told(kept, entry, entry.data)], "next_cursor": "WzAsMCwwLDExOSwwXQ"}


def report_example() -> dict[str, Any]:
    """A report of a day on which that call was the only one."""
    life = fold(_entries())
    numbers = [0, *(life.durations + life.metrics)]
    figures = [
        Figures(("voice",), number, 1, us, us, (us,) * 4, us) for number, us in enumerate(numbers) if us is not None
    ]
    day = to_text(_RECEIVED_US)[:10]
    return {
        "from": f"{day}T00:00:00.000000Z",
        "to": f"{day}T23:59:59.999999Z",
        "cohort": "received",
        "group_by": ["channel"],
        "tz": "UTC",
        "as_of": timeline_example()["as_of"],
        "groups": groups(["channel"], figures),
    }


def add(app: FastAPI) -> None:
    """Puts the examples into the application's document: FastAPI, given them itself, leaves out all nulls."""
    made = app.openapi

    def with_examples() -> dict[str, Any]:
        whole = made()
        for path, example in _OF_PATHS.items():
            whole["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["example"] = example()
        return whole

    app.openapi = with_examples  # type: ignore[method-assign]  # the way FastAPI documents for this


def _entries() -> list[Entry]:
    entries: list[Entry] = []
    for number, (type_, after_us, data) in enumerate(_STEPS):
        source, sequence = ("/services/intake", 1) if number == 0 else ("/services/router", number)
        id_ = f"0193512a-7c11-7000-8000-{number + 1:012d}"
        cause = entries[-1].event_id if entries else None
        position = f"contacts/3/{117 + number}"
        entries.append(Entry(id_, type_, source, sequence, cause, _RECEIVED_US + after_us, data, position))
    return entries


_OF_PATHS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "/v1/requests/{request_id}/timeline": timeline_example,
    "/v1/requests": requests_example,
    "/v1/customers/{customer_id}/history": requests_example,
    "/v1/reports/durations": report_example,
    "/v1/events": events_example,
}
