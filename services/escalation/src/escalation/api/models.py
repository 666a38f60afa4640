"""Bodies and answers, as the OpenAPI document shows them."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from events.base import Fact, Name, Text, Tier
from events.policies import DatedException, Day, Promise, Window

_PROMISE: Final = {
    "promise": "time_to_connect",
    "start": "ContactReceived",
    "stop": "Connected",
    "target_us": 30_000_000,
    "match": {"queues": ["cards"], "channels": ["voice", "chat"]},
    "warn_at_percent": 50,
    "escalates": True,
}
_WEEK: Final = {"mon": [{"start": "08:00", "end": "12:00"}, {"start": "13:00", "end": "17:30"}]}
_CLOSED: Final = {"date": "2026-12-25", "windows": [], "label": "Christmas"}


def _shown_by(example: dict[str, Any]) -> ConfigDict:
    """An example for the document."""
    return ConfigDict(json_schema_extra={"examples": [example]})


class Shown(BaseModel):
    """Part of an answer."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class EscalationOrder(Fact):
    """Who asks for a higher tier, and why."""

    model_config = _shown_by({"by": "a-7", "reason": "needs somebody who may lift the hold", "to_tier": None})

    by: Name
    reason: Text
    """In his own words; kept sealed under the customer's key."""
    to_tier: Tier | None = None
    """The next one where none is named."""


class EscalationAnswer(Shown):
    """The escalation that is under way: it takes effect with the router's Requeued."""

    request_id: str
    event_id: str
    to_tier: int


class ClockItem(Shown):
    """A promise to the request, and how its clock stands."""

    promise: str
    due_at: str | None
    """When its time is up; null while the clock stands still."""
    consumed_us: int
    """Of the target, by now."""
    state: Literal["running", "paused", "met", "breached"]
    policy_version: int
    policy: str
    target_us: int
    warn_at: str | None
    started_at: str
    cycle: int
    calendar: str | None
    calendar_version: int | None


class ClockPage(Shown):
    """In the order in which the clocks were started."""

    items: list[ClockItem]
    next_cursor: str | None


class BreachItem(Shown):
    """A broken promise, and how the request stood then."""

    request_id: str
    promise: str
    due_at: str
    detected_at: str
    """When it was stated: after the due moment, as soon as the log was known up to there."""
    corrected_at: str | None
    """When an event that came late overturned it; such breaches are listed with `corrected=true` only."""
    event_id: str
    policy: str
    policy_version: int
    target_us: int
    cycle: int
    leg: int | None
    channel: str | None
    queue: str | None
    tier: int | None
    agent_id: str | None
    support_level: str | None
    severity: int | None
    priority: int | None


class BreachPage(Shown):
    """The latest due moment first."""

    items: list[BreachItem]
    next_cursor: str | None


class PolicyDraft(Fact):
    """A policy as it shall be. What `GET` shows may be sent back: a version in it is passed over."""

    model_config = _shown_by({"promises": [_PROMISE], "by": "ops"})

    name: Name | None = None
    """The one in the path, if it is said."""
    version: int | None = None
    promises: list[Promise]
    """Of the promises of one name the first that fits a request counts."""
    by: Text | None = None


class Policy(Shown):
    """A version of a policy."""

    name: str
    version: int
    promises: list[Promise]
    by: str | None


class CalendarDraft(Fact):
    """A calendar as it shall be. What `GET` shows may be sent back: a version in it is passed over."""

    model_config = _shown_by({"time_zone": "Europe/Zurich", "week": _WEEK, "exceptions": [_CLOSED], "by": "ops"})

    name: Name | None = None
    """The one in the path, if it is said."""
    version: int | None = None
    time_zone: Name
    """An IANA name."""
    week: dict[Day, list[Window]]
    """A day that is not named is closed."""
    exceptions: list[DatedException] | None = None
    by: Text | None = None


class Calendar(Shown):
    """A version of a calendar."""

    name: str
    version: int
    time_zone: str
    week: dict[Day, list[Window]]
    exceptions: list[DatedException] | None
    by: str | None
