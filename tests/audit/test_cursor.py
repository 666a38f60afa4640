"""The place in the log that a reader goes on from."""

from __future__ import annotations

import pytest

from audit.domain.cursor import Vector, layout_of, vector_of
from audit.domain.filters import LogFilter
from audit.domain.reading import TOPICS

LAYOUT = layout_of([("contacts", 2), ("agents", 1)])


def test_a_vector_comes_back_from_its_numbers() -> None:
    vector = Vector(LAYOUT, {("contacts", 1): 5, ("agents", 0): 2})
    assert vector.numbers() == [0, 5, 2]
    assert vector_of(LAYOUT, [0, 5, 2]) == vector


@pytest.mark.parametrize("numbers", [[], [0, 5], [0, 5, 2, 1], [0, -1, 2]])
def test_numbers_that_are_no_place_in_this_log_are_refused(numbers: list[int]) -> None:
    with pytest.raises(ValueError, match="place"):
        vector_of(LAYOUT, numbers)


def test_a_place_only_moves_forward() -> None:
    vector = Vector(LAYOUT, {("contacts", 0): 5})
    moved = vector.moved({("contacts", 0): 3, ("contacts", 1): 4})
    assert moved.numbers() == [5, 4, 0]
    assert vector.numbers() == [5, 0, 0]


def test_what_is_behind_is_told_in_the_layouts_order() -> None:
    vector = Vector(LAYOUT, {("contacts", 0): 5})
    assert vector.behind({("agents", 0): 1, ("contacts", 0): 5, ("contacts", 1): 1}) == [("contacts", 1), ("agents", 0)]


def test_a_cursor_beyond_what_is_known_waits() -> None:
    assert Vector(LAYOUT, {("contacts", 0): 9}).behind({("contacts", 0): 5}) == []


def test_a_requests_records_can_stand_in_contacts_alone() -> None:
    assert LogFilter().topics(TOPICS) == set(TOPICS)
    assert LogFilter(topic="agents").topics(TOPICS) == {"agents"}
    assert LogFilter(request_id="r").topics(TOPICS) == {"contacts"}
    assert LogFilter(request_id="r", topic="agents").topics(TOPICS) == set()
