"""The packed form of a record's headers."""

from __future__ import annotations

import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.domain.headers import pack, unpack
from events.headers import name_text

NAMES = st.binary(max_size=20).map(name_text)
HEADERS = st.lists(st.tuples(NAMES, st.none() | st.binary(max_size=40)), max_size=12)


@given(HEADERS)
def test_headers_come_back_byte_for_byte_in_their_order(headers: list[tuple[str, bytes | None]]) -> None:
    assert unpack(pack(headers)) == headers


def test_repeats_bad_utf8_empty_and_missing_values_are_kept_apart() -> None:
    headers = [("a", b"1"), ("a", b"1"), ("\udcff\udcfe", b"\x00"), ("b", b""), ("b", None), ("", b"x")]
    assert unpack(pack(headers)) == headers


@pytest.mark.parametrize(("records", "length"), [(200, 50_000), (20_000, 20)], ids=["long", "many"])
def test_what_strangers_name_their_headers_does_not_fill_the_memory(records: int, length: int) -> None:
    pack([("warm", b"")])
    tracemalloc.start()
    for number in range(records):
        pack([(f"{number:0{length}}", b"")])
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1_000_000


def test_what_is_no_packed_header_is_not_read() -> None:
    with pytest.raises(struct.error):
        unpack(b"\x00")
