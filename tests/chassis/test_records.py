"""Our own parser of record batches reads what aiokafka's reads, and what that does not."""

import gzip
from collections.abc import Callable
from contextlib import suppress

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from chassis.records import Record, Unparsable, from_kafka, parse, parse_quickly
from events.headers import name_bytes, name_text

Said = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]
Reads = Callable[[str, int, bytes, int], tuple[list[Record], int]]
either = pytest.mark.parametrize("reads", [parse, parse_quickly])
bytes_or_none = st.none() | st.binary(max_size=300)
said = st.tuples(bytes_or_none, bytes_or_none, st.lists(st.tuples(st.text(max_size=20), bytes_or_none), max_size=5))


def batch(records: list[Said], base: int = 0, compression: int = 0) -> bytes:
    builder = DefaultRecordBatchBuilder(2, compression, 0, -1, -1, -1, 1 << 20)
    for n, (key, value, headers) in enumerate(records):
        builder.append(n, 1_700_000_000_000 + n, key, value, headers)
    return with_head(bytearray(builder.build()), base=base)


def with_head(raw: bytearray, *, base: int = 0, attributes: int | None = None) -> bytes:
    """The base offset is outside of the checksum, the attributes are inside."""
    raw[0:8] = base.to_bytes(8, "big")
    if attributes is not None:
        raw[21:23] = attributes.to_bytes(2, "big")
    raw[17:21] = calc_crc32c(bytes(raw[21:])).to_bytes(4, "big")
    return bytes(raw)


def by_aiokafka(raw: bytes) -> list[Record]:
    batches = MemoryRecords(raw)
    found: list[Record] = []
    while batches.has_next():
        for record in batches.next_batch():
            headers = tuple(record.headers)
            consumed = ConsumerRecord(
                "t", 3, record.offset, record.timestamp, 0, record.key, record.value, None, 0, 0, headers
            )
            found.append(from_kafka("t", consumed))
    return found


@either
@given(st.lists(said, min_size=1, max_size=8), st.lists(said, min_size=1, max_size=3), st.sampled_from([0, 1, 2, 3, 4]))
def test_it_reads_what_aiokafka_reads(reads: Reads, first: list[Said], second: list[Said], compression: int) -> None:
    raw = batch(first, compression=compression) + batch(second, base=len(first))
    records, behind = reads("t", 3, raw, 0)
    assert records == by_aiokafka(raw)
    assert behind == len(first) + len(second)


@either
def test_header_names_keep_their_order_their_repeats_and_odd_bytes(reads: Reads) -> None:
    raw = batch([(b"k", b"v", [("same", b"1"), ("xxxx", None), ("same", b"")])]).replace(b"xxxx", b"\xff\x00\xfe\xfd")
    (record,), _ = reads("t", 0, with_head(bytearray(raw)), 0)
    assert record.headers == (("same", b"1"), (name_text(b"\xff\x00\xfe\xfd"), None), ("same", b""))
    assert [name_bytes(name) for name, _ in record.headers] == [b"same", b"\xff\x00\xfe\xfd", b"same"]


def test_what_its_reader_makes_of_it_goes_along_with_a_record() -> None:
    headers = (("a", b"1"),)
    consumed = ConsumerRecord("t", 3, 7, 5, 0, b"k", b"v", None, 0, 0, headers)
    assert from_kafka("t", consumed, lambda *said: said).content == ("t", headers, b"v")
    assert from_kafka("t", consumed).content is None


@either
def test_it_begins_inside_a_batch(reads: Reads) -> None:
    records, behind = reads("t", 0, batch([(b"%d" % n, None, []) for n in range(5)], base=100), 103)
    assert [(record.offset, record.key) for record in records] == [(103, b"3"), (104, b"4")]
    assert behind == 105


@either
def test_a_batch_that_is_cut_off_is_left_for_the_next_fetch(reads: Reads) -> None:
    raw = batch([(b"a", None, [])]) + batch([(b"b", None, [])], base=1)
    for cut in range(len(raw) // 2, len(raw)):
        records, behind = reads("t", 0, raw[:cut], 0)
        assert (len(records), behind) == (1, 1)


@either
def test_the_brokers_time_is_taken_where_it_stamps(reads: Reads) -> None:
    raw = bytearray(batch([(b"a", None, []), (b"b", None, [])]))
    records, _ = reads("t", 0, with_head(raw, attributes=8), 0)
    assert {record.timestamp_us for record in records} == {1_700_000_000_001_000}


@either
def test_control_batches_are_passed_over(reads: Reads) -> None:
    records, behind = reads("t", 0, with_head(bytearray(batch([(b"a", None, [])])), attributes=0x20), 0)
    assert (records, behind) == ([], 1)


@either
@pytest.mark.parametrize("at", [25, 60, 70])
def test_a_damaged_batch_is_told_by_its_checksum(reads: Reads, at: int) -> None:
    raw = bytearray(batch([(b"a", b"value", [])]))
    raw[at] ^= 1
    with pytest.raises(Unparsable, match="checksum"):
        reads("t", 0, bytes(raw), 0)


@either
@given(st.binary(min_size=1, max_size=60))
def test_a_body_of_any_bytes_is_read_or_called_unparsable(reads: Reads, body: bytes) -> None:
    raw = bytearray(batch([(b"a", None, [])]))[:61] + body
    raw[8:12] = (len(raw) - 12).to_bytes(4, "big")
    with suppress(Unparsable):
        reads("t", 0, with_head(raw), 0)


@either
def test_an_unknown_compression_is_unparsable(reads: Reads) -> None:
    with pytest.raises(Unparsable, match="compression"):
        reads("t", 0, with_head(bytearray(batch([(b"a", None, [])])), attributes=7), 0)


@either
def test_a_compressed_batch_of_an_older_format_is_refused_by_name(reads: Reads) -> None:
    raw = bytearray(batch([(b"a", None, [])]))
    raw[16] = 1
    with pytest.raises(Unparsable, match="format 1"):
        reads("t", 0, bytes(raw) + gzip.compress(b""), 0)
