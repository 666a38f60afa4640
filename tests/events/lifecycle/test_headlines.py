"""The four headline durations are of the first cycle, and a step that did not happen is null."""

from events.lifecycle import fold
from events.lifecycle.samples import received, said

OFFERED = [received(10), said("Routed", 13, agent_id="a")]
SETTLED = [*OFFERED, said("Connected", 18, agent_id="a"), said("Resolved", 40)]


def test_three_steps_add_up_to_the_fourth_duration() -> None:
    assert fold(SETTLED).durations == (3, 5, 22, 30)


def test_each_duration_is_null_until_both_its_ends_have_happened() -> None:
    assert [fold(SETTLED[:upto]).durations for upto in (1, 2, 3)] == [
        (None, None, None, None),
        (3, None, None, None),
        (3, 5, None, None),
    ]


def test_a_declined_offer_does_not_restart_the_wait_and_the_first_offer_stays_the_headline() -> None:
    again = [said("Routed", 30, agent_id="b"), said("Connected", 31, agent_id="b")]
    life = fold([*OFFERED, said("OfferClosed", 20, reason="declined"), *again])
    assert (life.routed_us, life.connected_us) == (13, 31)
    assert life.durations[:2] == (3, 18)


def test_an_offer_after_the_first_connection_does_not_count() -> None:
    given = [received(0), said("Connected", 4, agent_id="a"), said("Transferred", 5, to={"tier": 2})]
    life = fold([*given, said("Routed", 6, agent_id="b"), said("Connected", 7, agent_id="b"), said("Resolved", 9)])
    assert life.routed_us is None
    assert life.durations == (None, None, 5, 9)
    assert life.tags == ["connected_without_routed"]


def test_resolved_without_connected_says_so_in_its_tags() -> None:
    life = fold([*OFFERED, said("Resolved", 20)])
    assert life.durations == (3, None, None, 10)
    assert life.tags == ["resolved_without_connected"]


def test_a_connection_after_an_offer_that_came_to_nothing_still_has_its_headline() -> None:
    life = fold([*OFFERED, said("OfferClosed", 20, reason="expired"), said("Connected", 25, agent_id="b")])
    assert life.durations == (3, 12, None, None)
    assert life.tags == []


def test_a_reopened_request_keeps_the_first_cycles_numbers() -> None:
    more = [said("Reopened", 100), said("Routed", 110, agent_id="b"), said("Connected", 120), said("Resolved", 200)]
    assert fold([*SETTLED, *more]).durations == fold(SETTLED).durations
    assert fold([*SETTLED, *more]).resolved_us == 40


def test_what_only_happens_in_a_later_cycle_is_no_headline() -> None:
    given = [*OFFERED, said("Abandoned", 20), said("Reopened", 30), said("Routed", 31, agent_id="a")]
    life = fold([*given, said("Connected", 32, agent_id="a"), said("Resolved", 40)])
    assert (life.routed_us, life.connected_us, life.resolved_us) == (13, None, None)
    assert life.durations == (3, None, None, None)
    assert life.tags == []


def test_an_offer_in_the_second_cycle_is_no_headline_though_the_first_had_none() -> None:
    life = fold([received(0), said("Abandoned", 2), said("Reopened", 5), said("Routed", 9, agent_id="a")])
    assert life.routed_us is None


def test_a_step_within_the_same_microsecond_is_zero_and_not_null() -> None:
    life = fold([received(5), said("Routed", 5), said("Connected", 5), said("Resolved", 5)])
    assert life.durations == (0, 0, 0, 0)
