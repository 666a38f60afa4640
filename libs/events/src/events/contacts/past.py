"""Events of a request as any system can state them: the data of imports, on which the live events build."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from events.base import PERSONAL, Fact, Leg, Name, Text, Tier
from events.contacts.contact import Channel

_TARGETS = ("agent_id", "queue", "skills", "tier")


class MessageReceived(Fact):
    """The customer followed up."""

    channel: Channel
    body: Annotated[Text | None, PERSONAL] = None


class Routed(Fact):
    """The request was offered to an agent."""

    agent_id: Name
    queue: Name | None = None
    tier: Tier | None = None
    leg: Leg | None = None


class Connected(Fact):
    """The agent and the customer were brought together."""

    agent_id: Name
    queue: Name | None = None
    tier: Tier | None = None
    leg: Leg | None = None


class OfferClosed(Fact):
    """An offer ended without a connection; the request goes on waiting."""

    reason: Literal["declined", "expired", "withdrawn", "customer_gone"]
    agent_id: Name | None = None


class Paused(Fact):
    """Nobody works on the request for a while: on hold, waiting for the customer, or for a third party."""

    reason: Literal["hold", "customer", "third_party"]
    agent_id: Name | None = None


class Target(Fact):
    """Where a transfer goes: just one of the four."""

    agent_id: Name | None = None
    queue: Name | None = None
    skills: Annotated[list[Name], Field(min_length=1)] | None = None
    tier: Tier | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(getattr(self, name) is not None for name in _TARGETS) != 1:
            raise PydanticCustomError("target", "needs exactly one of agent_id, queue, skills, tier")
        return self


class Transferred(Fact):
    """The agent handed the request on."""

    to: Target
    by: Name | None = None
    note: Annotated[Text | None, PERSONAL] = None


class Escalated(Fact):
    """It was decided that the request must go to a higher tier."""

    to_tier: Tier
    from_tier: Tier | None = None
    reason: Annotated[Text | None, PERSONAL] = None
    """In somebody's own words, so personal."""
    by: Text | None = None


class Requeued(Fact):
    """The request was put back to waiting, not by an agent's wish."""

    reason: Literal["escalated", "agent_lost", "classified"]
    tier: Tier | None = None
    queue: Name | None = None
    agent_id: Name | None = None


class _Ending(Fact):
    agent_id: Name | None = None
    code: Text | None = None
    summary: Annotated[Text | None, PERSONAL] = None
    articles: list[Name] | None = None
    """The knowledge articles that helped."""
    reason: Annotated[Text | None, PERSONAL] = None
    """In somebody's own words, so personal."""
    by: Text | None = None


class Resumed(_Ending):
    """Work on the request went on after a pause."""


class Resolved(_Ending):
    """The request was dealt with."""


class Abandoned(_Ending):
    """The customer gave up."""


class Reopened(_Ending):
    """A closed request was taken up again."""
