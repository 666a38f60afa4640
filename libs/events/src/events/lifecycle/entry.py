"""One event of one request, in the form in which the lifecycle takes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

IMPORTS = "/imports"
"""The source of events that were brought in from elsewhere, with times that are not ours."""

READ: Final = (
    "agent_id",
    "channel",
    "customer",
    "customer_id",
    "occurred_at",
    "queue",
    "reason",
    "severity",
    "support_level",
    "tier",
    "to",
)
"""The members of an event's data that a fold looks at: whoever keeps many histories need keep no others."""


class Event(Protocol):
    """What a single step needs of an event."""

    @property
    def type(self) -> str: ...

    @property
    def data(self) -> Mapping[str, Any]: ...


@dataclass(slots=True)
class Entry:
    """A known event. `occurred_us` is the stated time in µs since 1970 (UTC); `position` its first place in the log.

    `data` is anything that was readable as a JSON object: what has not the expected type in it is taken as not said.
    """

    event_id: str
    type: str
    source: str
    sequence: int | None
    causation_id: str | None
    occurred_us: int
    data: Mapping[str, Any]
    position: str | None = None
