"""Timers in memory: nothing is lost, nothing comes early, and what was read late takes nothing back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from escalation.domain.timers import Timers

SECOND = 1_000_000
moments = st.integers(0, 5 * SECOND)


def test_what_is_due_lies_before_now() -> None:
    timers = Timers()
    timers.put("a", 10)
    assert timers.due(10, 9) == []
    assert timers.due(11, 9) == [("a", 10)]
    assert timers.due(11, 9) == [("a", 10)]


def test_a_later_word_replaces_the_earlier() -> None:
    timers = Timers()
    timers.put("a", 10)
    timers.put("a", 3 * SECOND)
    assert (timers.due(SECOND, 9), timers.next_us(), len(timers)) == ([], 3 * SECOND, 1)
    timers.put("a", None)
    assert (timers.next_us(), len(timers)) == (None, 0)


def test_the_first_go_first_and_only_so_many() -> None:
    timers = Timers()
    for number in range(5):
        timers.put(f"r-{number}", 5 - number)
    assert timers.due(99, 2) == [("r-4", 1), ("r-3", 2)]


def test_what_was_read_while_something_changed_takes_nothing_back() -> None:
    timers = Timers()
    timers.put("moved", 7)
    timers.put("met", None)
    timers.load({"moved": 5, "met": 5, "still": 5})
    assert timers.due(99, 9) == [("still", 5), ("moved", 7)]


@given(st.lists(st.tuples(st.integers(0, 9), st.none() | moments)), moments)
def test_it_knows_what_a_plain_table_knows(puts: list[tuple[int, int | None]], now_us: int) -> None:
    timers, table = Timers(), dict[str, int]()
    for number, at_us in puts:
        timers.put(f"r-{number}", at_us)
        table.pop(f"r-{number}", None)
        if at_us is not None:
            table[f"r-{number}"] = at_us
    assert sorted(timers.due(now_us, 99)) == sorted((r, at_us) for r, at_us in table.items() if at_us < now_us)
    assert timers.next_us() == min(table.values(), default=None)
    assert len(timers) == len(table)
