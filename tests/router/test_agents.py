"""Agents: given one as he stands, when he is written or comes and goes, then this is stated."""

from __future__ import annotations

import pytest

from events.agents import AgentRegistered, AgentUpdated, PresenceChanged
from router.domain.agents import Agent, Profile, change_presence, evolve, put

PROFILE = Profile(name="Ada", queues=("cards",), skills={"cards": 4}, channels={"voice": 1})


def registered() -> Agent:
    fact = put(None, "a-1", PROFILE)
    assert isinstance(fact, AgentRegistered)
    return evolve(None, fact, occurred_us=10, clock_us=8)


def test_an_agent_who_is_written_first_is_registered_and_offline() -> None:
    agent = registered()
    assert (agent.profile, agent.version, agent.presence) == (PROFILE, 1, "offline")


def test_what_is_left_out_of_a_profile_takes_its_default() -> None:
    fact = put(None, "a-1", Profile(name="Ada"))
    assert isinstance(fact, AgentRegistered)
    told = fact.model_dump(include={"queues", "tier", "skills", "languages", "channels", "auto_accept"})
    assert told == {
        "queues": ["default"], "tier": 1, "skills": {}, "languages": [], "channels": {}, "auto_accept": False
    }  # fmt: skip


def test_another_profile_is_an_update_that_tells_it_whole() -> None:
    fact = put(registered(), "a-1", Profile(name="Ada", tier=2))
    assert isinstance(fact, AgentUpdated)
    after = evolve(registered(), fact, occurred_us=20, clock_us=20)
    assert (after.profile, after.version) == (Profile(name="Ada", tier=2), 2)


def test_the_same_profile_again_states_nothing() -> None:
    assert put(registered(), "a-1", PROFILE) is None


def test_a_change_of_profile_leaves_presence_as_it_is() -> None:
    there = evolve(registered(), PresenceChanged(agent_id="a-1", status="available"), occurred_us=30, clock_us=30)
    fact = put(there, "a-1", Profile(name="Eva"))
    assert fact is not None
    after = evolve(there, fact, occurred_us=40, clock_us=40)
    assert (after.presence, after.presence_us) == ("available", 30)


def test_coming_and_going_is_stated_with_what_was_before() -> None:
    fact = change_presence(registered(), "available")
    assert fact == PresenceChanged(agent_id="a-1", status="available", previous="offline")


def test_who_wrote_an_agent_and_who_set_his_presence_is_stated() -> None:
    facts = [
        put(None, "a-1", PROFILE, by="crm"),
        put(registered(), "a-1", Profile(name="Eva"), by="crm"),
        change_presence(registered(), "available", by="crm"),
    ]
    assert [fact and fact.by for fact in facts] == ["crm"] * 3


def test_the_same_presence_again_states_nothing() -> None:
    assert change_presence(registered(), "offline") is None


@pytest.mark.parametrize(("status", "gone_us"), [("available", None), ("away", None), ("offline", 49)])
def test_the_grace_of_who_goes_offline_runs_from_the_clocks_reading(status: str, gone_us: int | None) -> None:
    there = evolve(registered(), PresenceChanged(agent_id="a-1", status="away"), occurred_us=30, clock_us=30)
    fact = PresenceChanged.model_validate({"agent_id": "a-1", "status": status})
    after = evolve(there, fact, occurred_us=50, clock_us=49)
    assert (after.presence, after.presence_us, after.offline_at_us) == (status, 50, gone_us)


def test_nobody_comes_who_was_never_registered() -> None:
    with pytest.raises(ValueError, match="never registered"):
        evolve(None, PresenceChanged(agent_id="a-1", status="away"), occurred_us=1, clock_us=1)
