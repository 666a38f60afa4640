"""Who is offered what: given those who wait and those who are there, when a pass chooses, then it is these."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.fitting import REASONS, Absent, Worker, unfit
from router.domain.matching import Choice, Matched, Waiting, match
from tests.router.matching_cases import NOW_US, POLICY, waiting, worker


def chosen(requests: list[Waiting], workers: list[Worker], **others: Any) -> dict[str, str]:
    """Who got which request."""
    return {each.request_id: each.unit.agent_id for each in matched(requests, workers, **others).choices}


def matched(requests: list[Waiting], workers: list[Worker], **others: Any) -> Matched:
    return match(requests, workers, POLICY, now_us=NOW_US, **others)


def only(requests: list[Waiting], workers: list[Worker]) -> Choice:
    (choice,) = matched(requests, workers).choices
    return choice


def test_a_request_goes_to_the_agent_who_is_idle_for_longest() -> None:
    workers = [worker("short", idle_s=5), worker("long", idle_s=50), worker("middle", idle_s=20)]
    assert chosen([waiting()], workers) == {"r-1": "long"}


def test_of_agents_idle_as_long_the_first_by_id_gets_it() -> None:
    assert chosen([waiting()], [worker("b"), worker("a")]) == {"r-1": "a"}


def test_who_is_idle_goes_before_who_is_busy_however_long_ago_the_busy_one_let_something_go() -> None:
    busy = worker("busy", idle_s=900, channels={"voice": 1, "chat": 2}, held=1)
    assert chosen([waiting()], [busy, worker("idle", idle_s=1)]) == {"r-1": "idle"}


def test_units_are_spread_over_the_agents_before_anybody_gets_a_second_one() -> None:
    workers = [worker("a", channels={"chat": 3}), worker("b", channels={"chat": 3})]
    requests = [waiting(f"r-{n}", channel="chat", age_s=10 - n) for n in range(4)]
    assert chosen(requests, workers) == {"r-0": "a", "r-1": "b", "r-2": "a", "r-3": "b"}


def test_nobody_gets_more_than_the_units_that_he_has_free() -> None:
    requests = [waiting(f"r-{n}", channel="chat") for n in range(5)]
    choices = matched(requests, [worker(channels={"chat": 3}, free={"chat": (1, 2)}, held=1)]).choices
    assert [choice.unit.n for choice in choices] == [1, 2]


def test_the_highest_priority_goes_first_then_who_was_received_first_then_the_id() -> None:
    requests = [
        waiting("late", age_s=1, priority=5),
        waiting("b", age_s=9),
        waiting("a", age_s=9),
        waiting("urgent", age_s=0, priority=100),
        waiting("early", age_s=8, priority=5),
    ]
    choices = matched(requests, [worker(f"a-{n}") for n in range(5)]).choices
    assert [choice.request_id for choice in choices] == ["urgent", "early", "late", "a", "b"]


@pytest.mark.parametrize(
    ("asked", "lacking", "reason"),
    [
        ({"skills": ("card", "billing")}, {"skills": {"billing": 5}}, "skills"),
        ({"language": "de"}, {"languages": ("en", "fr")}, "language"),
        ({"channel": "chat"}, {"channels": {"voice": 9}}, "channel"),
        ({"channel": "chat"}, {"channels": {"voice": 9, "chat": 0}}, "channel"),
        ({"tier": 2}, {}, "tier"),
        ({}, {"tier": 2}, "tier"),
        ({}, {"presence": "away"}, "away"),
        ({}, {"presence": "offline"}, "offline"),
        ({}, {"free": {"voice": ()}, "held": 1}, "full"),
        ({"wanted_agent": "other"}, {}, "not_asked_for"),
    ],
)
def test_an_agent_who_does_not_fit_gets_nothing_and_the_record_says_why(
    asked: dict[str, Any], lacking: dict[str, Any], reason: str
) -> None:
    lacks = worker("lacks", **lacking)
    assert chosen([waiting(**asked)], [lacks]) == {}
    tier, channel = asked.get("tier", 1), asked.get("channel", "voice")
    fit = worker("other", tier=tier, channels={channel: 1}, skills={"card": 1, "billing": 1})
    choice = only([waiting(**asked)], [lacks, fit])
    assert choice.unit.agent_id == "other"
    assert [(each.agent_id, each.reason) for each in choice.decision.excluded] == [("lacks", reason)]
    assert choice.decision.excluded_counts == {reason: 1}


def test_every_reason_of_a_record_is_a_known_one() -> None:
    assert {"not_asked_for", "tier", "channel", "skills", "language", "offline", "away"} < set(REASONS)


def test_who_names_no_language_speaks_any_and_who_asks_for_none_takes_any() -> None:
    assert chosen([waiting(language="de")], [worker(languages=())]) == {"r-1": "a-1"}
    assert chosen([waiting(language=None)], [worker(languages=("en",))]) == {"r-1": "a-1"}


def test_an_agent_of_another_queue_gets_nothing_and_is_not_told_among_the_excluded() -> None:
    stranger = worker("stranger", queues=("other",))
    assert chosen([waiting()], [stranger]) == {}
    assert only([waiting()], [stranger, worker()]).decision.excluded == []


def test_who_is_wanted_by_name_needs_neither_queue_nor_tier_nor_skills_nor_language() -> None:
    wanted = worker("w", queues=("other",), tier=3, languages=("fr",))
    request = waiting(wanted_agent="w", skills=("card",), language="de", tier=1)
    assert chosen([request], [worker(), wanted]) == {"r-1": "w"}


@pytest.mark.parametrize("lacking", [{"presence": "away"}, {"channels": {"chat": 1}}, {"free": {}, "held": 1}])
def test_who_is_wanted_by_name_is_waited_for(lacking: dict[str, Any]) -> None:
    assert chosen([waiting(wanted_agent="w")], [worker(), worker("w", **lacking)]) == {}


def test_who_let_it_go_is_passed_over_where_there_is_another() -> None:
    workers = [worker("refused", idle_s=900), worker("other", idle_s=1)]
    choice = only([waiting(avoid={"refused": NOW_US - 1})], workers)
    assert choice.unit.agent_id == "other"
    assert choice.decision.excluded_counts == {"asked_before": 1}


def test_who_let_it_go_gets_it_again_where_there_is_no_other_and_not_before_his_time() -> None:
    early = matched([waiting(avoid={"a-1": NOW_US + 1})], [worker()])
    assert (early.choices, early.again_us) == ((), NOW_US + 1)
    assert chosen([waiting(avoid={"a-1": NOW_US})], [worker()]) == {"r-1": "a-1"}


def test_of_several_who_let_it_go_one_whose_time_has_come_is_asked_and_else_the_earliest_is_waited_for() -> None:
    workers = [worker("a", idle_s=90), worker("b", idle_s=10)]
    assert chosen([waiting(avoid={"a": NOW_US + 5, "b": NOW_US})], workers) == {"r-1": "b"}
    assert matched([waiting(avoid={"a": NOW_US + 5, "b": NOW_US + 3})], workers).again_us == NOW_US + 3


def test_a_time_that_is_further_off_than_the_policy_allows_is_of_a_wrong_clock_and_keeps_nobody_waiting() -> None:
    far = NOW_US + POLICY.reoffer_after_us + 1
    assert chosen([waiting(avoid={"a-1": far})], [worker()]) == {"r-1": "a-1"}


def test_a_request_that_nobody_can_have_yet_does_not_keep_the_agent_from_the_next_one() -> None:
    requests = [waiting("first", avoid={"a-1": NOW_US + 9}, priority=9), waiting("second")]
    assert chosen(requests, [worker()]) == {"second": "a-1"}


def test_nobody_is_waited_for_who_has_no_room() -> None:
    full = worker(free={}, held=1)
    assert matched([waiting(avoid={"a-1": NOW_US + 9})], [full]).again_us is None


def test_a_pass_stops_at_its_most_and_says_that_there_may_be_more() -> None:
    requests = [waiting(f"r-{n}", priority=n) for n in range(3)]
    workers = [worker(f"a-{n}") for n in range(3)]
    result = matched(requests, workers, most=2)
    assert [choice.request_id for choice in result.choices] == ["r-2", "r-1"]
    assert result.more
    assert not matched(requests, workers).more


def test_the_record_tells_the_candidates_by_how_long_they_are_idle_and_counts_those_it_does_not_list() -> None:
    idle = [worker(f"a-{n:02}", idle_s=n) for n in range(60)]
    away = [worker(f"z-{n:02}", presence="away") for n in range(70)]
    decision = only([waiting()], idle + away).decision
    assert [(each.agent_id, each.score) for each in decision.candidates[:2]] == [("a-59", 59.0), ("a-58", 58.0)]
    assert (len(decision.candidates), decision.candidates_count) == (50, 60)
    assert (len(decision.excluded), decision.excluded_counts) == (50, {"away": 70})


def test_the_record_tells_of_those_too_who_can_have_nothing_after_those_who_do_not_fit() -> None:
    absent = Absent({"away": 60, "full": 1}, tuple((f"z-{n:02}", "away") for n in range(50)))
    decision = matched([waiting()], [worker(), worker("b", tier=2)], absent=absent).choices[0].decision
    assert [(each.agent_id, each.reason) for each in decision.excluded[:2]] == [("b", "tier"), ("z-00", "away")]
    assert (len(decision.excluded), decision.excluded_counts) == (50, {"tier": 1, "away": 60, "full": 1})


def test_the_record_of_a_later_choice_shows_who_was_taken_by_an_earlier_one() -> None:
    choices = matched([waiting("first", age_s=9), waiting("second", age_s=8)], [worker("a"), worker("b")]).choices
    assert [each.agent_id for each in choices[1].decision.candidates] == ["b"]
    assert choices[1].decision.excluded_counts == {"full": 1}


def test_a_choice_says_whether_the_agent_accepts_by_himself_and_which_version_it_rests_on() -> None:
    choice = only([waiting(version=7)], [worker(auto_accept=True)])
    assert (choice.auto_accept, choice.version) == (True, 7)


SKILLS = st.sets(st.sampled_from(["card", "billing"]))
CHANNELS = st.sampled_from(["voice", "chat"])
AGENT_IDS = [f"a-{n}" for n in range(5)]


@st.composite
def workers_drawn(draw: st.DrawFn) -> list[Worker]:
    drawn = []
    for agent_id in draw(st.sets(st.sampled_from(AGENT_IDS))):
        most = draw(st.dictionaries(CHANNELS, st.integers(0, 3)))
        room = {channel: tuple(range(draw(st.integers(0, n)))) for channel, n in most.items()}
        facts: dict[str, Any] = {
            "tier": draw(st.integers(1, 2)),
            "queues": draw(st.sampled_from([("default",), ("other",), ("other", "default")])),
            "skills": dict.fromkeys(draw(SKILLS), 3),
            "languages": draw(st.sampled_from([(), ("en",), ("de", "en")])),
            "presence": draw(st.sampled_from(["available", "available", "away", "offline"])),
            "held": draw(st.integers(0, 2)),
        }
        drawn.append(worker(agent_id, channels=most, free=room, idle_s=draw(st.integers(0, 3)), **facts))
    return drawn


@st.composite
def waiting_drawn(draw: st.DrawFn) -> list[Waiting]:
    return [
        waiting(
            f"r-{n}",
            age_s=draw(st.integers(0, 2)),
            priority=draw(st.integers(0, 1)),
            tier=draw(st.integers(1, 2)),
            channel=draw(CHANNELS),
            language=draw(st.sampled_from([None, "en", "de"])),
            skills=tuple(draw(SKILLS)),
            wanted_agent=draw(st.sampled_from([None, None, None, "a-1"])),
            avoid=draw(st.dictionaries(st.sampled_from(AGENT_IDS), st.sampled_from([NOW_US, NOW_US + 5]), max_size=2)),
        )
        for n in range(draw(st.integers(0, 8)))
    ]


@given(waiting_drawn(), workers_drawn())
def test_no_agent_gets_what_he_does_not_fit_nor_more_than_he_has_room_for(
    requests: list[Waiting], workers: list[Worker]
) -> None:
    by_id, agents = {each.request_id: each for each in requests}, {each.agent_id: each for each in workers}
    taken = set()
    for choice in matched(requests, workers).choices:
        request, who = by_id.pop(choice.request_id), agents[choice.unit.agent_id]
        assert unfit(request.shape, who.agent, "default") is None
        assert choice.unit.n in who.free[request.channel]
        assert choice.unit.channel == request.channel
        assert request.avoid.get(who.agent_id, 0) <= NOW_US
        assert choice.unit not in taken
        taken.add(choice.unit)


@given(waiting_drawn(), workers_drawn(), st.randoms())
def test_the_same_is_chosen_whatever_the_order_of_what_goes_in(
    requests: list[Waiting], workers: list[Worker], dice: random.Random
) -> None:
    shuffled = dice.sample(requests, len(requests)), dice.sample(workers, len(workers))
    assert matched(*shuffled) == matched(requests, workers)


@given(waiting_drawn(), workers_drawn())
def test_nobody_is_passed_over_by_a_lower_one_that_the_same_agent_could_have_had_for_him(
    requests: list[Waiting], workers: list[Worker]
) -> None:
    agents = {each.agent_id: each for each in workers}
    given_to = {choice.request_id: choice.unit for choice in matched(requests, workers).choices}
    for low in requests:
        if low.request_id not in given_to:
            continue
        unit = given_to[low.request_id]
        for high in requests:
            if high.request_id in given_to or high.turn > low.turn or high.channel != unit.channel:
                continue
            could = unfit(high.shape, agents[unit.agent_id].agent, "default") is None
            assert not could or high.avoid.get(unit.agent_id, 0) > NOW_US, (high, low)


@given(waiting_drawn(), workers_drawn())
def test_nobody_waits_beside_an_agent_who_could_have_him_now(requests: list[Waiting], workers: list[Worker]) -> None:
    choices = matched(requests, workers).choices
    taken: dict[tuple[str, str], int] = defaultdict(int)
    for choice in choices:
        taken[choice.unit.agent_id, choice.unit.channel] += 1
    for request in requests:
        if request.request_id in {choice.request_id for choice in choices}:
            continue
        for who in workers:
            left = len(who.free.get(request.channel, ())) - taken[who.agent_id, request.channel]
            fits = unfit(request.shape, who.agent, "default") is None
            assert not (fits and left > 0 and request.avoid.get(who.agent_id, 0) <= NOW_US)
