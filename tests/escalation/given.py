"""Requests, events and rules as tests tell them: a few words each, the rest filled in."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from escalation.domain import fold
from escalation.domain.request import Change, Heard, Request, Statement
from escalation.domain.rules import Rule, Rules
from events.policies import CalendarVersioned, Promise, SlaPolicyVersioned

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
START = 1_700_000_000 * SECOND
"""2023-11-14, 22:13:20 UTC."""
AGENT = {"agent_id": "a-1"}
CONTACT = {"channel": "chat", "customer": {"id": "c-1"}, "customer_id": "c-1"}


def promise(target_us: int = 10 * MINUTE, **members: Any) -> Promise:
    """A connection within so long."""
    said = {"promise": "connect", "start": "ContactReceived", "stop": "Connected", "warn_at_percent": 80}
    return Promise(**{**said, "target_us": target_us, **members})


def rules(*promises: Promise, calendars: Iterable[CalendarVersioned] = (), **others: list[Promise]) -> Rules:
    """These promises as `default` from its second version on, in force from the beginning; others by their names."""
    made = Rules()
    for calendar in calendars:
        made.add(Rule("calendar", calendar, 0))
    if promises:
        made.add(Rule("sla", SlaPolicyVersioned(name="default", version=2, promises=list(promises)), 0))
    for name, theirs in others.items():
        made.add(Rule("sla", SlaPolicyVersioned(name=name, version=1, promises=theirs), 0))
    return made


class Story:
    """A request to which one thing after another happens, under the same rules."""

    def __init__(self, by: Rules, **contact: Any) -> None:
        self.rules = by
        self.statements: list[Statement] = []
        self._numbers = itertools.count(1)
        self.request: Request = self._kept(fold.received(self._heard("ContactReceived", 0, CONTACT | contact), 3, by))

    def then(self, type_: str, minute: float, data: dict[str, Any] | None = None, **heard: Any) -> Story:
        """An event, so many minutes after the start."""
        event = self._heard(type_, minute, AGENT if data is None else data, **heard)
        self.request = self._kept(fold.follow(self.request, event, self.rules))
        return self

    def waits(self, minute: float) -> Story:
        """Time passes, and the log is known up to then."""
        self.request = self._kept(fold.elapsed(self.request, at(minute)))
        return self

    @property
    def stated(self) -> list[str]:
        """The types of what was stated, in its order."""
        return [type(each.fact).__name__ for each in self.statements]

    def _heard(self, type_: str, minute: float, data: dict[str, Any], **heard: Any) -> Heard:
        occurred_us = at(minute)
        event = Heard(
            event_id=f"e-{next(self._numbers)}",
            type=type_,
            request_id="r-1",
            data=data,
            occurred_us=occurred_us,
            reading_us=occurred_us,
        )
        return replace(event, **heard)

    def _kept(self, change: Change) -> Request:
        self.statements += change.statements
        return change.request


def at(minute: float) -> int:
    """So many minutes after the start, in µs since 1970."""
    return START + round(minute * MINUTE)
