"""Deadlines: given what was seen at earlier looks, when the clocks show this, then these are due."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from router.domain.deadlines import Deadlines, Pending

SPAN = 30
WALL = 1_000_000
ONE = Pending("one", WALL + SPAN, SPAN)


def look(deadlines: Deadlines, *pending: Pending, wall: int = WALL, steady: int = 0) -> tuple[list[str], int | None]:
    return deadlines.look(pending, now_us=wall, steady_us=steady)


def test_nothing_is_due_before_its_time_and_the_rest_is_told() -> None:
    assert look(Deadlines(), ONE, wall=WALL + 10) == ([], 20)


def test_what_is_due_is_told_the_longest_due_first() -> None:
    older = Pending("older", WALL + 5, SPAN)
    assert look(Deadlines(), ONE, older, wall=WALL + SPAN) == (["older", "one"], None)


def test_at_the_start_the_wall_clock_says_what_is_due() -> None:
    assert look(Deadlines(), ONE, wall=WALL + SPAN - 1) == ([], 1)
    assert look(Deadlines(), ONE, wall=WALL + SPAN) == (["one"], None)


def test_at_the_start_nothing_is_waited_for_longer_than_its_whole_span() -> None:
    assert look(Deadlines(), ONE, wall=WALL - 7_200) == ([], SPAN)


def test_what_was_seen_once_falls_due_by_the_steady_clock() -> None:
    for jump in (7_200, -7_200):
        deadlines = Deadlines()
        look(deadlines, ONE)
        assert look(deadlines, ONE, wall=WALL + jump, steady=SPAN - 1) == ([], 1)
        assert look(deadlines, ONE, wall=WALL + jump, steady=SPAN) == (["one"], None)


def test_what_was_not_there_at_the_look_before_has_the_time_since_behind_it_at_most() -> None:
    deadlines = Deadlines()
    look(deadlines, steady=0)
    assert look(deadlines, ONE, wall=WALL + 7_200, steady=4) == ([], SPAN - 4)


def test_by_clocks_that_agree_it_is_due_at_its_time_however_late_it_is_seen() -> None:
    deadlines = Deadlines()
    look(deadlines, steady=0)
    assert look(deadlines, Pending("one", WALL + 2 + SPAN, SPAN), wall=WALL + 4, steady=4) == ([], 28)


def test_what_is_no_longer_pending_is_forgotten() -> None:
    deadlines = Deadlines()
    look(deadlines, ONE)
    look(deadlines, steady=10)
    assert look(deadlines, ONE, wall=WALL + 7_200, steady=20) == ([], SPAN - 10)


def test_what_has_no_span_is_due_at_once() -> None:
    deadlines = Deadlines()
    look(deadlines)
    assert look(deadlines, Pending("gone", WALL + 3, 0), wall=WALL, steady=1) == (["gone"], None)


@given(
    st.integers(0, 40),
    st.lists(st.tuples(st.integers(1, 10), st.integers(-10_000, 10_000)), min_size=1, max_size=12),
)
def test_however_the_wall_clock_is_set_nothing_is_early_or_late_by_more_than_the_time_between_two_looks(
    born: int, steps: list[tuple[int, int]]
) -> None:
    """It is born at `born` by the steady clock, and looked for every few µs while the wall clock is set at will."""
    deadlines, steady, wall = Deadlines(), 0, WALL
    look(deadlines, wall=wall, steady=0)
    made: Pending | None = None
    for step, jump in [*steps, *[(10, 0)] * 12]:
        if made is None and steady + step >= born:
            made = Pending("one", wall + (born - steady) + SPAN, SPAN)
        steady, wall = steady + step, wall + step + jump
        due, _ = look(deadlines, *([made] if made else []), wall=wall, steady=steady)
        if due:
            assert born + SPAN - 10 <= steady <= born + SPAN + 20
            return
    raise AssertionError("it never fell due")
