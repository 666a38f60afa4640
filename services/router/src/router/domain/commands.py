"""The orders on a request, as values: who gives them, on which leg, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from events.contacts.past import Target

WhyPaused = Literal["hold", "customer", "third_party"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What all orders carry. `event_id` is for the event that it comes to.

    Without `agent_id` nobody in particular gives it, and `by` is whose program it came from; with `leg` it is about
    just that leg.
    """

    verb: ClassVar[str]

    event_id: str
    agent_id: str | None = None
    leg: int | None = None
    by: str | None = None

    @property
    def words(self) -> str | None:
        """What somebody said in his own words: it is sealed under the customer's key."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept(Order):
    """Take the request that one is offered."""

    verb: ClassVar[str] = "accept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline(Order):
    """Refuse the request that one is offered."""

    verb: ClassVar[str] = "decline"

    reason: str | None = None

    @property
    def words(self) -> str | None:
        """See `Order`."""
        return self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Order):
    """Let the work on a request rest."""

    verb: ClassVar[str] = "pause"

    reason: WhyPaused


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(Order):
    """Go on with it."""

    verb: ClassVar[str] = "resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve(Order):
    """Say that the request is dealt with."""

    verb: ClassVar[str] = "resolve"

    code: str | None = None
    summary: str | None = None
    articles: tuple[str, ...] | None = None

    @property
    def words(self) -> str | None:
        """See `Order`."""
        return self.summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(Order):
    """Hand the request on to an agent, a queue, other skills or another tier."""

    verb: ClassVar[str] = "transfer"

    to: Target
    note: str | None = None

    @property
    def words(self) -> str | None:
        """See `Order`."""
        return self.note


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandon(Order):
    """The customer gives up."""

    verb: ClassVar[str] = "abandon"

    reason: str | None = None

    @property
    def words(self) -> str | None:
        """See `Order`."""
        return self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopen(Order):
    """Take a closed request up again."""

    verb: ClassVar[str] = "reopen"

    reason: str | None = None

    @property
    def words(self) -> str | None:
        """See `Order`."""
        return self.reason


Command = Accept | Decline | Pause | Resume | Resolve | Transfer | Abandon | Reopen
