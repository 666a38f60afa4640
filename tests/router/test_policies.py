"""Queue policies: what a change comes to, and where a request starts."""

from __future__ import annotations

from typing import Any

import pytest

from events.policies import Match, StartTier
from router.domain.policies import Newcomer, Policy, evolve, start_tier, versioned

BEFORE = Policy(queue="cards")


def newcomer(**facts: Any) -> Newcomer:
    return Newcomer(**{"channel": "voice", "support_level": "standard", "severity": 3, "priority": 0, **facts})


def test_the_first_change_of_a_policy_is_its_second_version() -> None:
    fact = versioned(BEFORE, {"offer_timeout_us": 5_000_000})
    assert (fact.queue, fact.version, fact.offer_timeout_us) == ("cards", 2, 5_000_000)


def test_what_a_change_does_not_name_keeps_its_value() -> None:
    rules = (StartTier(tier=2),)
    after = evolve(versioned(Policy(queue="cards", version=4, start_tiers=rules), {"reoffer_after_us": 0}))
    assert after == Policy(queue="cards", version=5, start_tiers=rules, reoffer_after_us=0)


def test_a_request_starts_at_tier_1_where_no_rule_fits() -> None:
    gold = StartTier(tier=3, match=Match(support_levels=["gold"]))
    assert start_tier(Policy(queue="cards", start_tiers=(gold,)), newcomer()) == 1


def test_of_the_rules_that_fit_the_first_counts() -> None:
    rules = (StartTier(tier=3, match=Match(severities=[1])), StartTier(tier=2))
    policy = Policy(queue="cards", start_tiers=rules)
    assert [start_tier(policy, newcomer(severity=severity)) for severity in (1, 2)] == [3, 2]


@pytest.mark.parametrize(
    ("match", "fitting", "other"),
    [
        (Match(support_levels=["gold", "silver"]), {"support_level": "silver"}, {"support_level": "bronze"}),
        (Match(severities=[1, 2]), {"severity": 2}, {"severity": 3}),
        (Match(priority_from=50), {"priority": 50}, {"priority": 49}),
        (Match(channels=["voice"]), {"channel": "voice"}, {"channel": "chat"}),
        (Match(severities=[1], priority_from=50), {"severity": 1, "priority": 60}, {"severity": 1, "priority": 10}),
    ],
)
def test_all_that_a_rule_names_must_fit(match: Match, fitting: dict[str, Any], other: dict[str, Any]) -> None:
    policy = Policy(queue="cards", start_tiers=(StartTier(tier=4, match=match),))
    assert (start_tier(policy, newcomer(**fitting)), start_tier(policy, newcomer(**other))) == (4, 1)


@pytest.mark.parametrize(("match", "tier"), [(Match(queues=["cards"]), 2), (Match(queues=["loans"]), 1)])
def test_a_rule_may_name_queues(match: Match, tier: int) -> None:
    assert start_tier(Policy(queue="cards", start_tiers=(StartTier(tier=2, match=match),)), newcomer()) == tier


@pytest.mark.parametrize("match", [Match(), Match(channels=[]), Match(support_levels=[])])
def test_what_is_left_empty_fits_any(match: Match) -> None:
    assert start_tier(Policy(queue="cards", start_tiers=(StartTier(tier=2, match=match),)), newcomer()) == 2
