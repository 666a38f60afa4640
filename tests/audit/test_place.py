"""Since when a record is known."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from audit.domain.months import month_after, month_of
from audit.domain.place import Place, known_since
from events.times import to_us


def known_times(before_us: int, appended_us: Iterable[int]) -> list[int]:
    return list(accumulate(appended_us, known_since, initial=before_us))[1:]


def test_a_broker_whose_clock_steps_back_does_not_make_records_known_earlier() -> None:
    assert known_times(0, [5, 9, 3, 8, 12]) == [5, 9, 9, 9, 12]


def test_what_was_known_before_the_batch_counts() -> None:
    assert known_times(10, [5, 11]) == [10, 11]


@given(st.lists(st.integers(0, 100)), st.integers(0, 100), st.data())
def test_it_does_not_matter_how_the_log_is_cut_into_batches(
    appended: list[int], before: int, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(appended)))
    first = known_times(before, appended[:cut])
    second = known_times(first[-1] if first else before, appended[cut:])
    assert first + second == known_times(before, appended)


def test_a_position_reads_topic_partition_offset() -> None:
    assert Place(1, "contacts", 3, 117).position == "contacts/3/117"


def test_a_month_runs_from_its_first_microsecond_to_the_next_months() -> None:
    month = month_of(to_us("2026-12-31T23:59:59.999999Z"))
    assert month == ("2026_12", to_us("2026-12-01T00:00:00Z"), to_us("2027-01-01T00:00:00Z"))
    assert month_after(month) == month_of(to_us("2027-01-01T00:00:00Z"))
    assert month_of(0).name == "1970_01"
