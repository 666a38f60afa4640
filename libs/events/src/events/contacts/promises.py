"""Events that escalation states: where a request must go next, and what became of the promises made for it."""

from events.base import Count, Fact, Leg, Microseconds, Moment, Name, Text, Tier, Version
from events.contacts import past
from events.contacts.contact import Channel, Priority, Severity


class Escalated(past.Escalated):
    """It was decided that the request must go to a higher tier. In effect once a Requeued names it as its cause."""

    cycle: Count | None = None
    """The cycle that it was decided on: the router applies it in no other."""
    leg: Leg | None = None
    """The leg that it was decided on."""
    queue: Name | None = None
    agent_id: Name | None = None
    """Who held the request then."""
    promise: Name | None = None
    """The promise whose clock led to it; none where somebody asked for it."""
    policy: Name | None = None
    policy_version: Version | None = None


class Clock(Fact):
    """How a promise's clock stood, and by which versions of which rules."""

    promise: Name
    policy: Name
    policy_version: Version
    due_at: Moment
    target_us: Microseconds
    consumed_us: Microseconds
    """Of the target, as the policy counts it (pauses and closed hours left out where it says so)."""
    calendar: Name | None = None
    calendar_version: Version | None = None
    cycle: Count | None = None
    leg: Leg | None = None
    channel: Channel | None = None
    queue: Name | None = None
    tier: Tier | None = None
    agent_id: Name | None = None
    support_level: Text | None = None
    severity: Severity | None = None
    priority: Priority | None = None


class SlaWarned(Clock):
    """A promise is about to break: so much of its time is used up as the policy warns at."""


class SlaBreached(Clock):
    """A promise broke: its time ran out before what was promised."""


class SlaMet(Clock):
    """A promise was kept: what was promised happened in time."""


class SlaWithdrawn(Clock):
    """A breach that was stated is none: the log told late that the request had been given up before its time was up."""
