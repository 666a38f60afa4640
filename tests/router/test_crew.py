"""Agents as sets of bits: whatever is asked of them, the sets say what looking at each agent says."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from router.domain.crew import Crew, places
from router.domain.fitting import Shape, Worker, unfit
from tests.router.matching_cases import worker

CHANNELS, SKILLS, LANGUAGES = ("voice", "chat"), ("cards", "fraud", "loans"), ("de", "en")
IDS = [f"a-{n}" for n in range(20)]

workers_of = st.builds(
    worker,
    st.just(""),
    held=st.integers(0, 2),
    presence=st.sampled_from(["available", "available", "away", "offline"]),
    queues=st.sampled_from([("default",), ("other",), ("default", "other")]),
    tier=st.integers(1, 2),
    skills=st.dictionaries(st.sampled_from(SKILLS), st.integers(1, 5)),
    languages=st.sets(st.sampled_from(LANGUAGES)).map(tuple),
    channels=st.dictionaries(st.sampled_from(CHANNELS), st.integers(0, 3)),
)
shapes = st.builds(
    Shape,
    st.integers(1, 3),
    st.sampled_from(CHANNELS),
    st.none() | st.sampled_from(LANGUAGES),
    st.sets(st.sampled_from(SKILLS)).map(lambda skills: tuple(sorted(skills))),
    st.none() | st.sampled_from(IDS),
)


def named(workers: list[Worker]) -> list[Worker]:
    """The same with ids of their own."""
    return [
        worker(
            agent_id,
            held=each.held,
            presence=each.agent.presence,
            queues=each.agent.profile.queues,
            tier=each.agent.profile.tier,
            skills=each.agent.profile.skills,
            languages=each.agent.profile.languages,
            channels=each.agent.profile.channels,
        )
        for agent_id, each in zip(IDS, workers, strict=False)
    ]


@given(st.lists(workers_of, max_size=len(IDS)), shapes)
def test_the_sets_say_of_a_shape_what_looking_at_each_agent_says(made: list[Worker], shape: Shape) -> None:
    crew = Crew(reversed(named(made)), "default")
    reasons = [unfit(shape, each.agent, "default") for each in crew]
    told = ["default" in each.agent.profile.queues for each in crew]
    free = [len(each.free.get(shape.channel, ())) for each in crew]
    assert list(places(crew.fitting(shape))) == [n for n, reason in enumerate(reasons) if reason is None]
    assert crew.unfit(shape) == Counter(
        reason for reason, is_told in zip(reasons, told, strict=True) if reason is not None and is_told
    )
    assert crew.room(shape, 1_000) == sum(n for n, reason in zip(free, reasons, strict=True) if reason is None)
    assert list(crew.without_room(shape)) == [
        n for n, reason in enumerate(reasons) if reason is None and told[n] and not free[n]
    ]


@given(st.sets(st.integers(0, 300)))
def test_the_places_of_a_set_come_in_their_order(members: set[int]) -> None:
    assert list(places(sum(1 << n for n in members))) == sorted(members)


def test_room_is_counted_no_further_than_is_asked() -> None:
    crew = Crew([worker(agent_id, channels={"voice": 3}) for agent_id in IDS], "default")
    assert crew.room(Shape(1, "voice", None, (), None), 5) == 5
