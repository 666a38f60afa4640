"""Conditions and cursors as callers write them."""

from __future__ import annotations

import pytest

from chassis.errors import Invalid
from chassis.paging import encode_cursor
from kb_search.api.reading import condition_of, etag, names, place_of
from kb_search.domain.articles import Condition


@pytest.mark.parametrize("written", ['"3"', 'W/"3"', "3", ' "3" '])
def test_a_condition_names_a_revision(written: str) -> None:
    assert condition_of(written) == Condition(frozenset({3}))


def test_a_condition_may_name_several_or_any_or_none() -> None:
    assert condition_of('"1", "2","x"') == Condition(frozenset({1, 2}))
    assert condition_of("*") == Condition(present=True)
    assert condition_of(None, "*") == Condition(absent=True)
    assert condition_of(None) == Condition()


@pytest.mark.parametrize("written", ['"abc"', "", '"-1"', '"99999999999999999999"', '"²"'])
def test_what_was_never_an_etag_of_ours_names_no_revision(written: str) -> None:
    assert condition_of(written) == Condition(frozenset())


def test_a_writer_may_demand_that_there_is_none_and_nothing_else() -> None:
    with pytest.raises(Invalid):
        condition_of(None, '"3"')


def test_a_reader_who_has_the_revision_is_told_so() -> None:
    assert names('W/"2", "3"', 3)
    assert names("*", 3)
    assert not names('"2"', 3)
    assert not names(None, 3)
    assert names(etag(3), 3)


@pytest.mark.parametrize("place", [[-1], [2**63], ["x"], [1, 2], [True]])
def test_a_cursor_that_no_list_gave_out_is_refused(place: list[int | str]) -> None:
    with pytest.raises(Invalid):
        place_of(encode_cursor(place), int)


def test_a_cursor_must_not_hold_nul() -> None:
    with pytest.raises(Invalid):
        place_of(encode_cursor(["a\0"]), str)
    assert place_of(encode_cursor(["a"]), str) == ["a"]
    assert place_of(None, str) is None
