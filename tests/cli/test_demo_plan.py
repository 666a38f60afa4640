"""The demo's customers and crew: the same seed makes the same ones, and they are what intake and the router take."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

import pytest

from events.base import Fact
from events.contacts import Contact
from events.policies import Promise, RoutingPolicyVersioned, StartTier
from throughline.day_figures import CALLS_BY_HOUR, KINDS, STAFFED_HOURS
from throughline.demo.articles import PREFIX, articles
from throughline.demo.crew import LOST_AT_S, crew, registration, turns
from throughline.demo.customers import contact_for
from throughline.demo.plan import SPOKEN, Visit, plan
from throughline.demo.rules import promises, routing
from throughline.demo.scale import CLOSES_S, HOUR_S, OPENS_S, STANDARD_SECONDS, scale_of


@pytest.fixture(scope="module")
def many() -> tuple[Visit, ...]:
    return plan(seed=5, contacts=3_000)


def test_the_same_seed_makes_the_same_day() -> None:
    assert plan(5, 200) == plan(5, 200)
    assert plan(5, 200) != plan(6, 200)


def test_every_contact_is_what_intake_takes(many: tuple[Visit, ...]) -> None:
    for visit in many:
        Contact.model_validate(contact_for(visit, "ab12"))


def test_queues_and_customers_are_the_runs_own(many: tuple[Visit, ...]) -> None:
    contact = contact_for(many[0], "ab12")
    assert contact["queue"] == f"{many[0].queue}-ab12"
    assert contact["customer"]["id"].endswith("-ab12")
    assert all(queue.endswith("-ab12") for queue in registration(crew(1)[0], "ab12")["queues"])


def test_arrivals_follow_the_logs_staffed_hours(many: tuple[Visit, ...]) -> None:
    assert all(OPENS_S <= visit.at_s < CLOSES_S for visit in many)
    assert [visit.at_s for visit in many] == sorted(visit.at_s for visit in many)
    hours = Counter(int(visit.at_s // HOUR_S) for visit in many)
    rates = {hour: CALLS_BY_HOUR[hour] for hour in STAFFED_HOURS}
    for hour, rate in rates.items():
        assert hours[hour] / len(many) == pytest.approx(rate / sum(rates.values()), abs=0.02)


def test_only_who_is_on_the_line_loses_patience_and_half_of_them_bear_minutes(many: tuple[Visit, ...]) -> None:
    sure = next(visit for visit in many if visit.patience_s is None)
    for visit in many:
        assert (visit.patience_s is not None) == (visit.channel in SPOKEN) or visit is sure
    assert 200 < statistics.median(visit.patience_s for visit in many if visit.patience_s is not None) < 500


def test_all_that_can_happen_is_planned(many: tuple[Visit, ...]) -> None:
    assert {visit.channel for visit in many} == {"voice", "chat", "email", "web", "sms", "social"}
    assert {visit.needs_tier for visit in many} == {1, 2, 3}
    wrinkles = ("hold", "transfer_to", "writes_again", "returns", "still_wrong", "rating", "posted_twice")
    for name in wrinkles:
        share = sum(bool(getattr(visit, name)) for visit in many) / len(many)
        assert 0 < share < 0.5, name


def test_who_comes_back_takes_another_channel(many: tuple[Visit, ...]) -> None:
    for visit in many:
        for note in (visit.returns, visit.still_wrong, visit.writes_again):
            assert note is None or note.channel != visit.channel


@pytest.mark.parametrize("seed", range(20))
def test_however_few_there_are_somebody_who_cannot_hang_up_needs_tier_two(seed: int) -> None:
    assert any(visit.needs_tier > 1 and visit.patience_s is None for visit in plan(seed, 10))


def test_an_hour_takes_six_seconds_and_a_minute_of_talk_one() -> None:
    scale = scale_of(STANDARD_SECONDS)
    assert scale.at(OPENS_S + HOUR_S) == pytest.approx(6)
    assert scale.lasts(60) == pytest.approx(1)
    assert scale.time_of_day(0) == "07:00"
    assert scale.time_of_day(21) == "10:30"
    assert scale.time_of_day(500) == "24:00"


def test_every_queue_is_served_at_every_tier() -> None:
    served = [{queue for agent in crew(400) if agent.tier == tier for queue in agent.queues} for tier in (1, 2, 3)]
    assert served == [set(KINDS)] * 3


def test_a_larger_day_has_a_second_team_with_names_of_its_own() -> None:
    assert len(crew(401)) == 2 * len(crew(400))
    assert len({agent.agent_id for agent in crew(2_000)}) == len(crew(2_000))


def test_turns_stand_in_the_order_of_time_and_somebody_is_lost_in_the_afternoon() -> None:
    agents = crew(400)
    day = turns(agents)
    assert [turn.at_s for turn in day] == sorted(turn.at_s for turn in day)
    assert {turn.agent_id for turn in day if turn.status == "available"} == {agent.agent_id for agent in agents}
    assert [turn.at_s for turn in day if turn.status == "offline"] == [LOST_AT_S]


def test_the_articles_are_all_read_from_their_page() -> None:
    found = articles()
    assert len(found) == 16
    assert all(name.startswith(PREFIX) and body["body"] and body["tags"] for name, body in found.items())


def test_the_rules_keep_the_peoples_pace_and_are_about_the_runs_queues_alone() -> None:
    scale = scale_of(STANDARD_SECONDS)
    assert routing(scale)["offline_grace_us"] == pytest.approx(5_000_000)
    RoutingPolicyVersioned(queue="q", version=2, **_read(StartTier, routing(scale), "start_tiers"))
    spoken, written = _read(Promise, promises(scale, ["accounts-t1"]), "promises")["promises"]
    assert (spoken.target_us, written.target_us) == (3_000_000, 15_000_000)
    assert spoken.match.queues == written.match.queues == ["accounts-t1"]


def _read(model: type[Fact], body: dict[str, Any], member: str) -> dict[str, Any]:
    """The body with the items of one member as the services read them."""
    return {**body, member: [model.model_validate(each) for each in body[member]]}
