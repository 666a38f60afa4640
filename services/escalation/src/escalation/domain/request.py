"""A request as escalation keeps it: where it stands, what promises are made on, their clocks, a pending escalation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from escalation.domain.clocks import Clock
from events.base import Fact
from events.lifecycle import Standing, State
from events.lifecycle.table import ENDS

SOURCE: Final = "/services/escalation"
TOPIC: Final = "contacts"
TOP_TIER: Final = 4


@dataclass(frozen=True, slots=True)
class Pending:
    """An escalation that was stated and is not in effect yet."""

    event_id: str
    to_tier: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Times are µs since 1970. `last_us` is the time of the latest event that is known of it, whoever stated it;
    `version` counts the events that escalation itself has stated on it."""

    request_id: str
    partition: int
    """Of the topic `contacts`: whoever reads it watches the clocks."""
    customer_id: str
    channel: str
    support_level: str
    severity: int
    priority: int
    standing: Standing
    received_us: int
    last_us: int
    version: int = 0
    clocks: tuple[Clock, ...] = ()
    pending: Pending | None = None

    @property
    def state(self) -> State:
        """Where it stands; it was received, so it stands somewhere."""
        assert self.standing.state is not None
        return self.standing.state

    @property
    def closed(self) -> bool:
        """Whether it is resolved or abandoned."""
        return self.standing.state in ENDS

    @property
    def next_us(self) -> int | None:
        """After which moment one of its clocks has something to state, if nothing happens before."""
        return min((at for clock in self.clocks if (at := clock.next_us) is not None), default=None)


@dataclass(frozen=True, slots=True)
class Heard:
    """An event of the log about one request. `reading_us` is the clock's reading, from which due times run;
    `occurred_us` is the event's time, which may have been corrected."""

    event_id: str
    type: str
    request_id: str
    data: Mapping[str, Any]
    occurred_us: int
    reading_us: int
    causation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """A fact that escalation states of a request, not before `floor_us`."""

    fact: Fact
    event_id: str
    floor_us: int
    causation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A request as it is now, and what is stated of it."""

    request: Request
    statements: tuple[Statement, ...] = ()
