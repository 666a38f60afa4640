"""What an agent could take: given his channels and his units, this is what he has room for."""

from __future__ import annotations

from router.domain.agents import Agent, Profile
from router.domain.crew import Crew
from router.domain.fitting import Shape, Units, worker_of
from tests.router.matching_cases import worker

CALL = Shape(1, "voice", None, (), None)


def agent(**channels: int) -> Agent:
    return Agent(agent_id="a-1", profile=Profile(name="A", channels=channels), presence="available")


def test_what_is_not_held_is_free() -> None:
    made = worker_of(agent(voice=1, chat=3), [Units("voice", 1, []), Units("chat", 1, [0, 2])], 5)
    assert (made.free, made.held, made.idle_since_us) == ({"chat": (0, 2)}, 2, 5)


def test_units_beyond_todays_capacity_are_not_given_out() -> None:
    assert worker_of(agent(chat=1), [Units("chat", 0, [0, 1, 2])], 0).free == {"chat": (0,)}


def test_what_is_held_beyond_todays_capacity_takes_room() -> None:
    assert worker_of(agent(chat=2), [Units("chat", 2, [0])], 0).free == {}
    assert worker_of(agent(chat=2), [Units("chat", 1, [0, 1])], 0).free == {"chat": (0,)}


def test_a_channel_that_he_has_no_longer_is_not_free_but_counts_as_held() -> None:
    made = worker_of(agent(voice=1), [Units("chat", 1, [1])], 0)
    assert (made.free, made.held) == ({}, 1)


def test_the_room_for_a_shape_is_that_of_all_who_fit() -> None:
    crew = [
        worker("a", channels={"voice": 2}),
        worker("b", channels={"voice": 1}),
        worker("c", presence="away"),
        worker("d", tier=2),
        worker("e", channels={"voice": 1}, free={}, held=1),
    ]
    assert Crew(crew, "default").room(CALL, 200) == 3
