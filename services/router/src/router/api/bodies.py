"""The bodies of the orders on a request, as they are sent, and what each order is as a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from events.base import Fact, Name, Text
from events.contacts.past import Target
from router.api.parameters import LONGEST_NAME
from router.domain.commands import Abandon, Accept, Command, Decline, Pause, Reopen, Resolve, Resume, Transfer

Leg = Annotated[int, Field(ge=1, le=2**31 - 1)]


ShortName = Annotated[Name, Field(max_length=LONGEST_NAME)]


class Body(Fact):
    """What every order may say."""

    leg: Leg | None = None
    """The leg that the order is about: 409 where it is not the present one."""


class ByAgent(Body):
    """An order that only an agent gives."""

    agent_id: ShortName


class ToBody(Target):
    """Where a transfer goes: just one of the four."""

    agent_id: ShortName | None = None
    queue: ShortName | None = None


class AcceptBody(ByAgent):
    """Take the request that you are offered."""

    def command(self, event_id: str) -> Command:
        """As a command whose event has this id."""
        return Accept(event_id=event_id, agent_id=self.agent_id, leg=self.leg)


class DeclineBody(ByAgent):
    """Refuse the request that you are offered; it goes to another agent who fits."""

    reason: Text | None = None
    """In your own words."""

    def command(self, event_id: str) -> Command:
        """As a command whose event has this id."""
        return Decline(event_id=event_id, agent_id=self.agent_id, leg=self.leg, reason=self.reason)


class PauseBody(ByAgent):
    """Let the work rest; the unit of capacity stays taken."""

    reason: Literal["hold", "customer", "third_party"]
    """On hold, waiting for the customer's answer, or for somebody else's."""

    def command(self, event_id: str) -> Command:
        """As a command whose event has this id."""
        return Pause(event_id=event_id, agent_id=self.agent_id, leg=self.leg, reason=self.reason)


class ResumeBody(ByAgent):
    """Go on with the work."""

    def command(self, event_id: str) -> Command:
        """As a command whose event has this id."""
        return Resume(event_id=event_id, agent_id=self.agent_id, leg=self.leg)


class ResolveBody(Body):
    """The request is dealt with; without an agent only while nobody has accepted it."""

    agent_id: ShortName | None = None
    code: Text | None = None
    summary: Text | None = None
    """In your own words."""
    articles: list[Name] | None = None
    """The knowledge articles that helped."""

    def command(self, event_id: str) -> Command:
        """As a command whose event has this id."""
        articles = None if self.articles is None else tuple(self.articles)
        said = {"code": self.code, "summary": self.summary}
        return Resolve(event_id=event_id, agent_id=self.agent_id, leg=self.leg, articles=articles, **said)


class TransferBody(ByAgent):
    """Hand the request on; what the target does not name stays as it was."""

    to: ToBody
    note: Text | None = None
    """In your own words, for whoever takes it over."""

    def command(self, event_id: str) -> Command:
        """As a command whose event has this id."""
        to = Target(**self.to.model_dump(exclude_unset=True))
        return Transfer(event_id=event_id, agent_id=self.agent_id, leg=self.leg, to=to, note=self.note)


class AbandonBody(Body):
    """The customer gives up: nobody's order, so no agent."""

    reason: Text | None = None

    def command(self, event_id: str) -> Command:
        """As a command whose event has this id."""
        return Abandon(event_id=event_id, leg=self.leg, reason=self.reason)


class ReopenBody(Body):
    """Take a resolved or abandoned request up again."""

    agent_id: ShortName | None = None
    reason: Text | None = None

    def command(self, event_id: str) -> Command:
        """As a command whose event has this id."""
        return Reopen(event_id=event_id, agent_id=self.agent_id, leg=self.leg, reason=self.reason)


AnyBody = AcceptBody | DeclineBody | PauseBody | ResumeBody | ResolveBody | TransferBody | AbandonBody | ReopenBody

ORDERS: Final[Mapping[str, type[AnyBody]]] = {
    "accept": AcceptBody,
    "decline": DeclineBody,
    "pause": PauseBody,
    "resume": ResumeBody,
    "resolve": ResolveBody,
    "transfer": TransferBody,
    "abandon": AbandonBody,
    "reopen": ReopenBody,
}
