"""Queues and their policies as they are sent and shown."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from events.base import Fact, Text, Tier
from events.contacts.contact import Channel, Priority, Severity
from events.policies import Match, StartTier
from router.domain.policies import Policy

SHORTEST_OFFER_US = 100_000
LONGEST_US = 30 * 86_400_000_000


class StartMatch(Fact):
    """Which new requests a rule is about: all that is named must fit; left out or empty means any."""

    channels: list[Channel] = Field(default_factory=list)
    support_levels: list[Text] = Field(default_factory=list)
    severities: list[Severity] = Field(default_factory=list)
    priority_from: Priority | None = None
    """This priority and above."""


class StartRule(Fact):
    """New requests that fit start at this tier."""

    tier: Tier
    match: StartMatch = StartMatch()

    @classmethod
    def of(cls, rule: StartTier) -> Self:
        """As it stands in a policy."""
        named = {} if rule.match is None else rule.match.model_dump(exclude_none=True, exclude={"queues", "tiers"})
        return cls(tier=rule.tier, match=StartMatch(**named))

    def rule(self) -> StartTier:
        """As it stands in a policy."""
        return StartTier(tier=self.tier, match=Match(**self.match.model_dump(exclude_unset=True)))


class PolicyBody(Fact):
    """What changes in a queue's policy; what is left out keeps its value."""

    version: Annotated[int, Field(description="Ignored: each change makes the next version")] = 1
    offer_timeout_us: Annotated[int, Field(ge=SHORTEST_OFFER_US, le=LONGEST_US)] = 30_000_000
    """How long an offer stands, in µs."""
    reoffer_after_us: Annotated[int, Field(ge=0, le=LONGEST_US)] = 10_000_000
    """How long an agent who let a request go is not asked again, where there is no other, in µs."""
    offline_grace_us: Annotated[int, Field(ge=0, le=LONGEST_US)] = 300_000_000
    """How long an agent who went offline keeps whom he is connected to, in µs."""
    start_tiers: list[StartRule] = Field(default_factory=list, max_length=100)
    """Where new requests start: the first rule that fits counts, tier 1 where none does."""

    def changes(self) -> dict[str, Any]:
        """What was sent, by the names that a policy has for it."""
        sent = {name: getattr(self, name) for name in self.model_fields_set - {"version"}}
        if "start_tiers" in sent:
            sent["start_tiers"] = [rule.rule() for rule in self.start_tiers]
        return sent


class _View(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")


class PolicyView(_View):
    """A queue's policy."""

    version: int
    offer_timeout_us: int
    reoffer_after_us: int
    offline_grace_us: int
    start_tiers: list[StartRule]


class QueueView(_View):
    """What waits in one queue at one tier on one channel, and who could take something."""

    queue: str
    tier: int
    channel: Channel
    waiting: int
    oldest_wait_us: int | None
    """How long ago the first of those who wait was received; null where nobody waits."""
    agents_free: int
    """Available agents of this queue and tier with a unit free on the channel."""


class QueuePage(_View):
    """Queues by name, tier and channel."""

    items: list[QueueView]
    next_cursor: str | None


def view_of(policy: Policy) -> dict[str, Any]:
    """The members of a `PolicyView`."""
    return {
        "version": policy.version,
        "offer_timeout_us": policy.offer_timeout_us,
        "reoffer_after_us": policy.reoffer_after_us,
        "offline_grace_us": policy.offline_grace_us,
        "start_tiers": [StartRule.of(rule).model_dump(exclude_unset=True) for rule in policy.start_tiers],
    }
