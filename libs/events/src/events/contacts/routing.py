"""Events that the router states: they alone move a request's state. Each says how things stood then."""

from typing import Annotated

from pydantic import Field

from events.base import PERSONAL, Count, EventId, Fact, Leg, Microseconds, Moment, Name, Text, Tier, Version
from events.contacts import past
from events.contacts.contact import Channel

MAX_LISTED: int = 50
"""How many candidates, and how many excluded agents, a decision names; the rest is counted."""


class Standing(Fact):
    """How the request stood when it happened, lest a report has to ask for it later."""

    channel: Channel | None = None
    cycle: Count | None = None
    policy_version: Version | None = None
    """The version of the queue's routing policy that was followed."""


class Place(Standing):
    """The standing of an event whose imported form does not name the place."""

    leg: Leg | None = None
    queue: Name | None = None
    tier: Tier | None = None


class Candidate(Fact):
    """An agent who could have had the request; the highest score wins."""

    agent_id: Name
    score: float


class Excluded(Fact):
    """An agent of the queue who could not have it, and why."""

    agent_id: Name
    reason: Name


class Decision(Fact):
    """Why this agent: the record that goes with each Routed."""

    decided_at: Moment
    policy_version: Version
    candidates: Annotated[list[Candidate], Field(max_length=MAX_LISTED)]
    excluded: Annotated[list[Excluded], Field(max_length=MAX_LISTED)]
    candidates_count: Count | None = None
    """All candidates, with those that are not listed."""
    excluded_counts: dict[Name, Count] | None = None
    """All excluded agents by reason, with those that are not listed."""
    relaxation: Count | None = None
    """How many steps of relaxation the policy had granted by then."""


class Routed(past.Routed, Standing):
    """The request was offered to an agent, who holds a unit of his capacity from now on."""

    unit: Count | None = None
    """Which unit of the agent's capacity on the channel is taken."""
    offer_lapses_at: Moment | None = None
    decision: Decision | None = None


class Connected(past.Connected, Standing):
    """The agent and the customer were brought together."""

    unit: Count | None = None
    auto_accepted: bool | None = None


class OfferClosed(past.OfferClosed, Place):
    """An offer ended without a connection; the request goes on waiting in a new leg."""

    note: Annotated[Text | None, PERSONAL] = None
    """What the agent said when he declined."""


class Paused(past.Paused, Place):
    """Nobody works on the request for a while; the agent's unit stays taken."""

    by: Text | None = None
    note: Annotated[Text | None, PERSONAL] = None


class Resumed(past.Resumed, Place):
    """Work on the request went on after a pause."""


class Transferred(past.Transferred, Place):
    """The agent handed the request on; it waits in a new leg. The place is the one that it leaves."""

    agent_id: Name | None = None
    """Who held it."""
    skills: list[Name] | None = None
    """What it asks for from now on, where the transfer changes it."""


class Requeued(past.Requeued, Standing):
    """The request was put back to waiting in a new leg; `queue` and `tier` are where it waits from now on."""

    leg: Leg | None = None
    """The leg that it leaves."""
    from_queue: Name | None = None
    from_tier: Tier | None = None
    skills: list[Name] | None = None


class Resolved(past.Resolved, Place):
    """The request was dealt with."""


class Abandoned(past.Abandoned, Place):
    """The customer gave up."""

    waited_us: Microseconds | None = None
    """How long he had waited in this leg."""


class Reopened(past.Reopened, Place):
    """A closed request was taken up again; a new cycle begins."""

    message_event_id: EventId | None = None
    """The follow-up that reopened it."""
