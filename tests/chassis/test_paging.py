"""Cursors and limits: what was given out comes back, anything else is refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Invalid
from chassis.paging import decode_cursor, encode_cursor, limit_of, page


@given(st.lists(st.integers(-(2**53), 2**53) | st.text().filter(lambda text: text.isprintable()) | st.none()))
def test_a_cursor_comes_back_as_it_was_given_out(position: list[int | str | None]) -> None:
    assert decode_cursor(encode_cursor(position)) == position


@pytest.mark.parametrize("cursor", ["", "!", "x" * 5_000, "WzFd\n", "e30", "bnVsbA", "é", "Wy4u"])
def test_what_was_never_given_out_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        decode_cursor(cursor, int)
    assert refused.value.errors[0]["field"] == "cursor"


def test_a_cursor_of_another_list_is_refused() -> None:
    other = encode_cursor(["a", 1])
    for kinds in [(int, int), (str,), (str, int, int), (str, (str, type(None)))]:
        with pytest.raises(Invalid):
            decode_cursor(other, *kinds)
    assert decode_cursor(other, str, int) == ["a", 1]
    with pytest.raises(Invalid):
        decode_cursor("W3RydWVd", int)  # [true] is no number


def test_no_cursor_is_the_beginning() -> None:
    assert decode_cursor(None, int) is None


@pytest.mark.parametrize("text", ["0", "1001", "-1", "1.0", "", " 5", "\u0665", "1e3", "9999999"])
def test_a_limit_out_of_bounds_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        limit_of(text)


def test_a_limit_has_a_default_and_bounds() -> None:
    assert [limit_of(text) for text in (None, "1", "1000")] == [50, 1, 1_000]


def test_the_last_page_has_no_cursor() -> None:
    assert page([1, 2, 3], 3, lambda n: [n]) == ([1, 2, 3], None)
    rows, cursor = page([1, 2, 3, 4], 3, lambda n: [n])
    assert (rows, decode_cursor(cursor, int)) == ([1, 2, 3], [3])
