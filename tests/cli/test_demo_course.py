"""What simulated agents do with a leg: repeatable, and what an agent may do there."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from throughline.demo.course import State, Step, course
from throughline.demo.crew import Agent, crew
from throughline.demo.plan import Hold, Visit, plan

ADAEZE = next(agent for agent in crew(1) if agent.tier == 1)
UMA = next(agent for agent in crew(1) if agent.tier == 2)
VISITS = plan(seed=2, contacts=2_000)


def plain(visit: Visit, **facts: Any) -> Visit:
    """A visit without wrinkles but those given."""
    return replace(visit, **{"needs_tier": 1, "transfer_to": None, "hold": None} | facts)


def verbs(steps: tuple[Step, ...]) -> list[str]:
    return [step.verb for step in steps if step.verb != "look"]


def accepted(visit: Visit, agent: Agent) -> tuple[Step, ...]:
    """The course of a leg that this agent accepts: of one that he declines, that of a later leg."""
    courses = (course(visit, agent, leg, seed=1) for leg in range(1, 50))
    return next(steps for steps in courses if steps and steps[0].verb == "accept")


def test_the_same_leg_goes_the_same_way() -> None:
    for visit in VISITS[:50]:
        assert course(visit, ADAEZE, 1, seed=1) == course(visit, ADAEZE, 1, seed=1)


def test_a_plain_visit_is_accepted_and_resolved_in_the_time_that_it_takes() -> None:
    visit = plain(VISITS[0])
    steps = accepted(visit, ADAEZE)
    assert verbs(steps) == ["accept", "resolve"]
    assert steps[-1].body["code"]
    assert sum(step.after_s for step in steps[1:]) == pytest.approx(visit.talk_s, rel=0.2)


def test_a_hold_is_paused_and_resumed_for_as_long_as_it_lasts() -> None:
    steps = accepted(plain(VISITS[0], hold=Hold(33.0, "hold")), ADAEZE)
    assert verbs(steps) == ["accept", "pause", "resume", "resolve"]
    assert next(step.after_s for step in steps if step.verb == "resume") == 33.0


def test_what_needs_a_higher_tier_is_escalated_below_it_and_resolved_there() -> None:
    visit = plain(VISITS[0], needs_tier=2)
    assert verbs(accepted(visit, ADAEZE)) == ["accept", "escalate"]
    assert verbs(accepted(visit, UMA)) == ["accept", "resolve"]


def test_what_belongs_elsewhere_is_passed_on_only_by_who_does_not_serve_there() -> None:
    visit = plain(VISITS[0], transfer_to="securities")
    steps = accepted(visit, ADAEZE)
    assert verbs(steps) == ["accept", "transfer"]
    assert steps[-1].body["to"] == {"queue": "securities"}
    assert verbs(accepted(visit, UMA)) == ["accept", "resolve"]


def test_some_offers_are_declined_and_few_lapse() -> None:
    first = Counter(steps[0].verb if (steps := course(visit, ADAEZE, 1, seed=1)) else "lapse" for visit in VISITS)
    assert first["decline"] / len(VISITS) == pytest.approx(0.05, abs=0.02)
    assert 0 < first["lapse"] < first["decline"]


def test_some_read_the_suggestions_and_some_of_these_use_one() -> None:
    looks = [step for visit in VISITS for step in course(visit, ADAEZE, 1, seed=1) if step.verb == "look"]
    assert 0.3 < len(looks) / len(VISITS) < 0.6
    assert 0.4 < sum(step.uses for step in looks) / len(looks) < 0.8


@pytest.mark.parametrize(("state", "begins"), [("connected", "resolve"), ("paused", "resume")])
def test_who_is_back_goes_on_where_it_stood_and_declines_nothing(state: State, begins: str) -> None:
    for visit in VISITS[:200]:
        steps = course(plain(visit), ADAEZE, 1, seed=1, state=state)
        assert verbs(steps)[0] == begins
        assert not {"accept", "decline"} & set(verbs(steps))
