"""The agreed rule for each edge case, told as a whole story."""

import random

from events.lifecycle import Entry, State, fold, timeline
from events.lifecycle.samples import received, said
from events.times import to_us


def story() -> list[Entry]:
    return [
        received(0),
        said("Routed", 3, agent_id="a", cause="ContactReceived@0"),
        said("OfferClosed", 33, reason="expired", cause="Routed@3"),
        said("Routed", 40, agent_id="b", cause="OfferClosed@33"),
        said("Connected", 45, agent_id="b", cause="Routed@40"),
        said("Escalated", 60, to_tier=2, cause="Connected@45"),
        said("Requeued", 61, reason="escalated", tier=2, cause="Escalated@60"),
        said("Connected", 80, agent_id="c"),
        said("Resolved", 95, cause="Connected@80"),
        said("FeedbackReceived", 99, score=5),
    ]


def bytes_of(given: list[Entry]) -> str:
    return str(timeline(fold(given), request_id="r", as_of_us=0, open_data=lambda entry: entry.data))


def test_an_expired_offer_closes_and_the_wait_goes_on_in_a_new_leg_from_where_it_was() -> None:
    life = fold(story()[:4])
    assert [leg.number for leg in life.legs] == [1, 2]
    assert life.time_in[State.WAITING] == 3 + 7
    assert life.received_us == 0


def test_an_escalation_opens_a_leg_on_the_higher_tier_and_restarts_no_clock_from_the_receipt() -> None:
    life = fold(story())
    assert [leg.tier for leg in life.legs] == [1, 1, 2]
    assert life.durations == (3, 42, 50, 95)
    assert dict(zip(["right", "answer"], life.metrics, strict=False)) == {"right": 40, "answer": 45}


def test_the_same_record_again_changes_nothing() -> None:
    assert bytes_of(story() + story()[::-1]) == bytes_of(story())


def test_any_order_of_arrival_gives_the_same_bytes() -> None:
    for seed in range(50):
        turned = story()
        random.Random(seed).shuffle(turned)
        assert bytes_of(turned) == bytes_of(story())


def test_a_late_event_gives_a_new_answer_and_without_it_the_old_one_again() -> None:
    late = story()[4]
    before = [entry for entry in story() if entry is not late and entry.event_id != late.event_id]
    assert fold(before).connected_us == 80
    assert fold([*before, late]).connected_us == 45
    assert fold(before).connected_us == 80


def test_midnight_summer_time_and_leap_seconds_are_plain_subtraction() -> None:
    for start, stop, us in [
        ("2024-03-30T23:59:59.999999Z", "2024-03-31T00:00:00.000000Z", 1),
        ("2024-03-31T00:59:59.999999Z", "2024-03-31T01:00:00.000001Z", 2),
        ("2024-10-27T02:30:00+02:00", "2024-10-27T02:30:00+01:00", 3_600_000_000),
        ("2016-12-31T23:59:59.000000Z", "2017-01-01T00:00:00.000000Z", 1_000_000),
        ("1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ]:
        life = fold([received(to_us(start)), said("Connected", to_us(stop), agent_id="a")])
        assert life.durations == (None, None, None, None)
        assert life.metrics[1] == us


def test_an_erased_customer_leaves_every_number_as_it_was() -> None:
    full, erased = story(), story()
    full[0].data = {**full[0].data, "body": "…", "sealed": {"key_id": "c-42"}}
    erased[0].data = {"channel": "voice", "customer": {"id": "c-42"}}
    ours, theirs = fold(full), fold(erased)
    assert (ours.durations, ours.metrics, ours.segments) == (theirs.durations, theirs.metrics, theirs.segments)


def test_effects_before_their_causes_never_give_a_negative_duration() -> None:
    given = story()
    for entry in given[1:]:
        entry.occurred_us -= 1_000
    given[7].causation_id = "Requeued@61"
    life = fold(given)
    assert life.tags == ["clamped"]
    assert life.durations == (0, 0, 0, 0)
    assert [segment.us for segment in life.segments if segment.us is not None] == [0] * 7
