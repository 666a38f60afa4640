"""The laws that hold for every history, tried on histories that nobody would have thought of."""

from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.lifecycle import METRICS, OPENS_LEG, ORDER, UNKNOWN, Entry, Life, evolve, fold, timeline
from events.lifecycle.identity import faults
from events.lifecycle.metrics import HEADLINES, Cohort

TYPES = [*ORDER, "Connected", "Routed", "Resolved", "Reopened", "SlaWarned", "Unheard"]
REASONS = ["hold", "customer", "third_party", "declined", "expired", None]
PLACES: list[dict[str, Any]] = [
    {},
    {"queue": "vip"},
    {"tier": 2},
    {"tier": 3, "to": {"tier": 2}},
    {"to": {"queue": "second"}},
]
DATA: list[dict[str, Any]] = [
    {"reason": reason, **place, **agent}
    for reason in REASONS
    for place in PLACES
    for agent in ({}, {"agent_id": "a"}, {"agent_id": "b"})
]

law = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine breaks no law


def entries() -> st.SearchStrategy[list[Entry]]:
    """A contact and up to 15 events of any type, close in time, each perhaps caused by any of them or by a stranger."""
    event = st.tuples(
        st.sampled_from(TYPES),
        st.integers(0, 12) | st.integers(0, 10**17),
        st.integers(-8, 16),
        st.sampled_from(["/services/router", "/imports"]),
        st.none() | st.integers(1, 20),
        st.sampled_from(DATA),
    )
    return st.lists(event, min_size=1, max_size=16).map(written)


def written(events: list[tuple[str, int, int, str, int | None, dict[str, Any]]]) -> list[Entry]:
    """The n-th is called e-n. A cause below 0 is none, one beyond the last event a stranger."""
    return [
        Entry(
            event_id=f"e-{number:02}",
            type=type_ if number else "ContactReceived",
            source=source,
            sequence=sequence,
            causation_id=f"e-{cause:02}" if cause >= 0 else None,
            occurred_us=at_us,
            data=data,
        )
        for number, (type_, at_us, cause, source, sequence, data) in enumerate(events)
    ]


def bytes_of(life: Life) -> str:
    return str(timeline(life, request_id="r", as_of_us=0, open_data=lambda entry: entry.data))


@law
@given(entries(), st.randoms(use_true_random=False))
def test_any_permutation_gives_the_same_bytes(known: list[Entry], rng: Random) -> None:
    turned = list(known)
    rng.shuffle(turned)
    assert bytes_of(fold(turned)) == bytes_of(fold(known))


@law
@given(entries(), st.data())
def test_duplicates_change_nothing(known: list[Entry], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(known), max_size=30))
    assert bytes_of(fold(known + again)) == bytes_of(fold(known))


@law
@given(entries())
def test_the_segments_are_a_partition(known: list[Entry]) -> None:
    life = fold(known)
    assert faults(life) == []
    assert life.residual_us == 0


@law
@given(entries())
def test_no_effect_precedes_its_cause_unless_they_go_round_in_a_circle(known: list[Entry]) -> None:
    causes = {entry.event_id: entry.causation_id for entry in known}
    at_us = {placed.event_id: placed.effective_us for placed in fold(known).events}
    for entry in known:
        assert at_us[entry.event_id] >= entry.occurred_us
        cause = entry.causation_id
        if cause in at_us and not in_circle(entry.event_id, causes):
            assert at_us[entry.event_id] >= at_us[cause]


def in_circle(event_id: str, causes: dict[str, str | None]) -> bool:
    here = causes[event_id]
    for _ in causes:
        if here == event_id:
            return True
        here = causes.get(here) if here is not None else None
    return False


@law
@given(entries())
def test_an_events_own_time_is_raised_only_to_a_time_that_one_of_its_causes_states(known: list[Entry]) -> None:
    by_id = {entry.event_id: entry for entry in known}
    for placed in fold(known).events:
        stated, here = {placed.entry.occurred_us}, placed.entry
        for _ in known:
            here = by_id.get(here.causation_id or "", here)
            stated.add(here.occurred_us)
        assert placed.effective_us in stated


@law
@given(entries())
def test_single_steps_and_the_fold_agree(known: list[Entry]) -> None:
    life = fold(known)
    standing, moved = UNKNOWN, []
    for placed in life.events:
        after = evolve(standing, placed.entry)
        if after is not standing:
            moved.append(after)
        standing = after
    assert standing == life.standing
    assert moved == [segment.standing for segment in life.segments]


@law
@given(entries())
def test_durations_add_up_and_none_is_negative(known: list[Entry]) -> None:
    life = fold(known)
    *steps, whole = life.durations
    if None not in steps:
        assert sum(us for us in steps if us is not None) == whole
    assert all(us is None or us >= 0 for us in life.durations + life.metrics)
    assert all(us >= 0 for us in life.time_in.values())


@law
@given(entries())
def test_waiting_and_offers_add_up_to_the_speed_of_answer(known: list[Entry]) -> None:
    metrics = dict(zip([metric.name for metric in METRICS], fold(known).metrics, strict=True))
    answer, wait, offer = (metrics[name] for name in ("speed_of_answer_us", "queue_wait_us", "offer_us"))
    assert (answer is None) == (wait is None) == (offer is None)
    if answer is not None and wait is not None and offer is not None:
        assert wait + offer == answer


@law
@given(entries())
def test_legs_follow_one_another_and_their_handle_times_add_up(known: list[Entry]) -> None:
    life = fold(known)
    handled = [leg.handle_us for leg in life.legs if leg.handle_us is not None]
    assert (sum(handled) if handled else None) == dict(zip([m.name for m in METRICS], life.metrics, strict=True))[
        "handle_us"
    ]
    assert [leg.number for leg in life.legs] == list(range(1, len(life.legs) + 1))
    assert {leg.opened_by for leg in life.legs} <= OPENS_LEG
    assert all(leg.closed_us is not None for leg in life.legs[:-1])


@law
@given(entries())
def test_whoever_has_a_value_has_the_time_of_its_cohort(known: list[Entry]) -> None:
    life = fold(known)
    times = {
        Cohort.RECEIVED: life.received_us,
        Cohort.CONNECTED: life.connected_us,
        Cohort.RESOLVED: life.resolved_us,
    }
    for metric, us in zip((*HEADLINES, *METRICS), life.durations + life.metrics, strict=True):
        assert us is None or times[metric.cohort] is not None


@law
@given(entries())
def test_only_events_that_took_effect_shape_the_numbers(known: list[Entry]) -> None:
    life = fold(known)
    moved = {placed.event_id for placed in life.events if placed.event_id in life.applied}
    ordered = [
        Entry(placed.event_id, placed.entry.type, "", None, None, placed.effective_us, placed.entry.data)
        for placed in life.events
        if placed.event_id in moved
    ]
    for depth, entry in enumerate(ordered[1:]):
        entry.causation_id = ordered[depth].event_id
    again = fold(ordered)
    assert (again.durations, again.metrics[:-1]) == (life.durations, life.metrics[:-1])
    assert [s.standing for s in again.segments] == [s.standing for s in life.segments]
