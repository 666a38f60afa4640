"""A queue's routing policy: how long its offers stand, whom it asks again and when, where its requests start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from events.policies import Match, RoutingPolicyVersioned, StartTier

FIRST_VERSION: Final = 1
"""The version of the policy that every queue has before anybody writes one for it."""

DEFAULT_TIER: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What holds for a queue, in one version; durations in µs. The defaults are those of a queue nobody wrote one for.

    `offer_timeout_us` is how long an offer stands, `reoffer_after_us` how long an agent who let a request go is not
    asked again, `offline_grace_us` how long an agent who went offline keeps whom he is connected to. Of `start_tiers`
    the first that fits a new request counts.
    """

    queue: str
    version: int = FIRST_VERSION
    offer_timeout_us: int = 30_000_000
    reoffer_after_us: int = 10_000_000
    offline_grace_us: int = 300_000_000
    start_tiers: tuple[StartTier, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """What a policy looks at to say where a new request starts."""

    channel: str
    support_level: str
    severity: int
    priority: int


def versioned(policy: Policy, changes: Mapping[str, Any]) -> RoutingPolicyVersioned:
    """The next version of a policy: `changes` over what holds now, by the names of the fact's members."""
    now = {
        "offer_timeout_us": policy.offer_timeout_us,
        "reoffer_after_us": policy.reoffer_after_us,
        "offline_grace_us": policy.offline_grace_us,
        "start_tiers": list(policy.start_tiers),
    }
    return RoutingPolicyVersioned(**{**now, **changes}, queue=policy.queue, version=policy.version + 1)


def evolve(fact: RoutingPolicyVersioned) -> Policy:
    """The policy that holds after its versioning, which tells it whole."""
    return Policy(
        queue=fact.queue,
        version=fact.version,
        offer_timeout_us=fact.offer_timeout_us,
        reoffer_after_us=fact.reoffer_after_us,
        offline_grace_us=fact.offline_grace_us,
        start_tiers=tuple(fact.start_tiers or ()),
    )


def start_tier(policy: Policy, newcomer: Newcomer) -> int:
    """The tier at which a new request starts: that of the first rule that fits it, tier 1 where none does."""
    fitting = (rule.tier for rule in policy.start_tiers if _fits(rule.match, policy, newcomer))
    return next(fitting, DEFAULT_TIER)


def _fits(match: Match | None, policy: Policy, newcomer: Newcomer) -> bool:
    """Whether all that is named fits; what is left out or empty fits any."""
    if match is None:
        return True
    named: tuple[tuple[Any, Any], ...] = (
        (match.channels, newcomer.channel),
        (match.queues, policy.queue),
        (match.tiers, DEFAULT_TIER),
        (match.support_levels, newcomer.support_level),
        (match.severities, newcomer.severity),
    )
    if any(wanted and given not in wanted for wanted, given in named):
        return False
    return match.priority_from is None or newcomer.priority >= match.priority_from
