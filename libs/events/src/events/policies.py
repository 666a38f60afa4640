"""The topic `policies`: the rules that decisions follow, whole and by version."""

from typing import Annotated, Literal

from pydantic import Field

from events.base import Count, Fact, Microseconds, Name, Text, Tier, Version
from events.contacts.contact import Channel, Priority, Severity

TimeOfDay = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
Date = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Percent = Annotated[int, Field(ge=1, le=100)]


class Match(Fact):
    """Which requests a rule is about: all that is named must fit; empty means any."""

    channels: list[Channel] | None = None
    queues: list[Name] | None = None
    tiers: list[Tier] | None = None
    support_levels: list[Text] | None = None
    severities: list[Severity] | None = None
    priority_from: Priority | None = None
    """This priority and above."""


class Promise(Fact):
    """What is promised to the requests that fit: `stop` within `target_us` after `start`."""

    promise: Name
    start: Name
    """The event that starts the clock."""
    stop: Name
    """The event that keeps the promise."""
    target_us: Annotated[int, Field(ge=1)]
    match: Match | None = None
    warn_at_percent: Percent | None = None
    """Of the target; no warning where it is not said."""
    paused_in: list[Literal["hold", "customer", "third_party"]] | None = None
    """In which pauses the clock stands still."""
    calendar: Name | None = None
    """Counts that calendar's open hours alone."""
    escalates: bool | None = None
    """Whether a breach also escalates; by default it is only stated."""


class SlaPolicyVersioned(Fact):
    """A policy of promises holds in this version from now on.

    Of the promises of one name the first that fits a request counts.
    """

    name: Name
    version: Version
    promises: list[Promise]
    by: Text | None = None


class Window(Fact):
    """Open hours `[start, end)` in local time; an end at or before the start lies on the next day."""

    start: TimeOfDay
    end: TimeOfDay


class DatedException(Fact):
    """A date with hours of its own; none at all: closed."""

    date: Date
    windows: list[Window]
    label: Text | None = None


class CalendarVersioned(Fact):
    """A calendar of open hours holds in this version from now on."""

    name: Name
    version: Version
    time_zone: Name
    """An IANA name."""
    week: dict[Day, list[Window]]
    """A day that is not named is closed."""
    exceptions: list[DatedException] | None = None
    by: Text | None = None


class StartTier(Fact):
    """Requests that fit start at this tier."""

    tier: Tier
    match: Match | None = None


class Relaxation(Fact):
    """After so long a wait, less is asked of an agent."""

    after_us: Microseconds
    skill_levels_less: Count | None = None
    drop_skills: list[Name] | None = None
    drop_language: bool | None = None
    other_queues: list[Name] | None = None


class Aging(Fact):
    """Waiting lifts the priority, up to `most`."""

    step_us: Annotated[int, Field(ge=1)]
    priority_per_step: Count
    most: Priority


class RoutingPolicyVersioned(Fact):
    """A queue's routing policy holds in this version from now on."""

    queue: Name
    version: Version
    offer_timeout_us: Microseconds
    reoffer_after_us: Microseconds
    offline_grace_us: Microseconds
    start_tiers: list[StartTier] | None = None
    """The first that fits counts; tier 1 where none does."""
    relaxations: list[Relaxation] | None = None
    aging: Aging | None = None
    sticky_us: Microseconds | None = None
    """For so long a returning customer goes to the agent whom he had last, where he is free."""
    by: Text | None = None
