"""Up to which moment the log is known."""

from __future__ import annotations

from escalation.domain.seen import Seen


def test_nothing_is_known_before_the_first_look() -> None:
    assert Seen().until_us(3) == 0


def test_at_the_end_of_the_log_all_is_known_up_to_the_question() -> None:
    seen = Seen()
    seen.look(1_000, [(3, 7, 7), (4, 7, 6)])
    assert (seen.until_us(3), seen.until_us(4)) == (1_000, 0)


def test_an_end_that_was_seen_counts_once_it_is_reached_though_the_log_has_grown() -> None:
    seen = Seen()
    seen.look(1_000, [(3, 7, 6)])
    seen.look(2_000, [(3, 9, 6)])
    assert seen.until_us(3) == 0
    seen.look(3_000, [(3, 11, 8)])
    assert seen.until_us(3) == 1_000
    seen.look(4_000, [(3, 12, 11)])
    assert seen.until_us(3) == 3_000


def test_without_kafka_nothing_more_is_known() -> None:
    seen = Seen()
    seen.look(1_000, [(3, 7, 7)])
    seen.look(2_000, [(3, None, 7)])
    assert seen.until_us(3) == 1_000


def test_a_clock_that_steps_back_takes_nothing_back() -> None:
    seen = Seen()
    seen.look(2_000, [(3, 7, 7)])
    seen.look(1_000, [(3, 8, 8)])
    assert seen.until_us(3) == 2_000
