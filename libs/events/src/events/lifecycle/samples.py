"""Histories for tests, written as one would tell them: `received(0)`, `said("Routed", 5, agent_id="a-1")`."""

from typing import Any, Final

from events.lifecycle.entry import Entry

INTAKE: Final = "/services/intake"
ROUTER: Final = "/services/router"


def said(
    type_: str,
    at_us: int,
    /,
    *,
    event_id: str | None = None,
    cause: str | None = None,
    source: str = ROUTER,
    sequence: int | None = None,
    position: str | None = None,
    **data: Any,
) -> Entry:
    """An event at `at_us`, called `Type@at_us` unless an id is given; `cause` is the id of the event that caused it."""
    return Entry(event_id or f"{type_}@{at_us}", type_, source, sequence, cause, at_us, data, position)


def received(at_us: int = 0, /, **data: Any) -> Entry:
    """A contact by telephone, of which `data` may say more or otherwise."""
    contact = {"channel": "voice", "customer": {"id": "c-42"}} | data
    return Entry(f"ContactReceived@{at_us}", "ContactReceived", INTAKE, None, None, at_us, contact)
