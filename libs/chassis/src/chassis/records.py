"""Records as they lie in the log: key, headers and value, in their order and without a loss."""

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from aiokafka import codec
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import ConsumerRecord

from events.headers import name_text

# Record batches of magic 2: https://kafka.apache.org/documentation/#recordbatch
_HEAD: Final = struct.Struct(">qiibIhiqqqhii")
_MAGIC: Final = 2
_AFTER_LENGTH: Final = 12
_AFTER_CRC: Final = 21
_LOG_APPEND_TIME: Final = 0x08
_CONTROL: Final = 0x20
_DECODERS: Final = {1: codec.gzip_decode, 2: codec.snappy_decode, 3: codec.lz4_decode, 4: codec.zstd_decode}

Headers = Sequence[tuple[str, bytes | None]]
"""Names and values; the bytes of a name are `events.headers.name_bytes` of it."""


_new: Final = tuple.__new__


class Unparsable(ValueError):
    """Bytes that are no record batch: the log itself is damaged there."""


class Record(NamedTuple):
    """One record; the order and the repeats of its headers are kept.

    `topic` is the logical name (without the deployment's prefix); `timestamp_us` is the broker's append time (in whole
    milliseconds). `content` is what its reader's `Reads` has made of it, None where it has none or was passed by.
    """

    topic: str
    partition: int
    offset: int
    timestamp_us: int
    key: bytes | None
    headers: Headers
    value: bytes | None
    content: Any = None


Reads = Callable[[str, Headers, bytes | None], object]
"""(topic, headers, value) → a record's `content`. Never raises: what is wrong with a record is content too."""


def from_kafka(topic: str, record: "ConsumerRecord[bytes | None, bytes | None]", read: Reads | None = None) -> Record:
    """A record as aiokafka read it, which reads none with a header name that is not UTF-8."""
    headers, value = record.headers, record.value
    content = None if read is None else read(topic, headers, value)
    # Past the constructor of a class with names, which costs as much as all the rest.
    return _new(
        Record,
        (topic, record.partition, record.offset, record.timestamp * 1_000, record.key, headers, value, content),
    )


def parse_quickly(topic: str, partition: int, raw: bytes, first: int) -> tuple[list[Record], int]:
    """As `parse`, by aiokafka's compiled parser, and by ours for what that one cannot read."""
    try:
        return _parse_compiled(topic, partition, raw, first)
    # Each codec has errors of its own, and ours says what is wrong where it cannot read the bytes either.
    except Exception:  # noqa: BLE001
        return parse(topic, partition, raw, first)


def _parse_compiled(topic: str, partition: int, raw: bytes, first: int) -> tuple[list[Record], int]:
    records: list[Record] = []
    next_offset, batches = first, MemoryRecords(raw)
    while batches.has_next():
        batch = batches.next_batch()
        if batch.magic != _MAGIC or not batch.validate_crc():
            raise Unparsable("left to the other parser")
        if not batch.is_control_batch:
            records += [
                _new(
                    Record,
                    (
                        topic,
                        partition,
                        record.offset,
                        record.timestamp * 1_000,
                        record.key,
                        tuple(record.headers),
                        record.value,
                        None,
                    ),
                )
                for record in batch
                if record.offset >= first
            ]
        next_offset = max(next_offset, batch.next_offset)
    return records, next_offset


def parse(topic: str, partition: int, raw: bytes, first: int) -> tuple[list[Record], int]:
    """The records from offset `first` on in a fetch's bytes, and the offset after the last whole batch.

    Takes header names of any bytes, which aiokafka does not. A batch cut off at the end is left for the next fetch.
    Raises Unparsable where a sum or a length does not fit.
    """
    records: list[Record] = []
    next_offset, at = first, 0
    while len(raw) - at >= _HEAD.size:
        head = _HEAD.unpack_from(raw, at)
        base, length, _, magic, crc, attributes, last_delta, first_ms, most_ms, _, _, _, count = head
        end = at + _AFTER_LENGTH + length
        if magic != _MAGIC:
            raise Unparsable(f"the batch at offset {base} is of format {magic}; only {_MAGIC} is read")
        if end > len(raw):
            break
        if calc_crc32c(raw[at + _AFTER_CRC : end]) != crc:
            raise Unparsable(f"the batch at offset {base} does not have its checksum")
        if not attributes & _CONTROL:
            stamp = most_ms if attributes & _LOG_APPEND_TIME else None
            body = _plain(raw[at + _HEAD.size : end], attributes & 0x07)
            found = _records(topic, partition, body, base, first_ms, stamp, count)
            records.extend(record for record in found if record.offset >= first)
        next_offset = max(next_offset, base + last_delta + 1)
        at = end
    return records, next_offset


def _plain(body: bytes, compression: int) -> bytes:
    if compression == 0:
        return body
    decode = _DECODERS.get(compression)
    if decode is None:
        raise Unparsable(f"compression {compression} is not known")
    try:
        return bytes(decode(body))
    # Each codec has errors of its own, and the checksum was right: whatever it is, these bytes will not get better.
    except Exception as error:
        raise Unparsable(f"compression {compression} does not unpack: {error}") from error


def _records(
    topic: str, partition: int, body: bytes, base: int, first_ms: int, stamp_ms: int | None, count: int
) -> Iterator[Record]:
    """`stamp_ms` is the broker's time for the whole batch, None where each record has the producer's own."""
    at = 0
    try:
        for _ in range(count):
            length, at = _varint(body, at)
            end = at + length
            delta_ms, at = _varint(body, at + 1)
            delta, at = _varint(body, at)
            key, at = _bytes(body, at)
            value, at = _bytes(body, at)
            headers, at = _headers(body, at)
            if at != end:
                raise Unparsable(f"the record at offset {base + delta} does not have the length that it names")
            ms = first_ms + delta_ms if stamp_ms is None else stamp_ms
            yield Record(topic, partition, base + delta, ms * 1_000, key, headers, value)
    except IndexError as error:
        raise Unparsable(f"the batch at offset {base} ends inside a record") from error


def _headers(body: bytes, at: int) -> tuple[Headers, int]:
    headers: list[tuple[str, bytes | None]] = []
    count, at = _varint(body, at)
    for _ in range(count):
        name, at = _bytes(body, at)
        value, at = _bytes(body, at)
        headers.append((name_text(name or b""), value))
    return tuple(headers), at


def _bytes(body: bytes, at: int) -> tuple[bytes | None, int]:
    length, at = _varint(body, at)
    if length < 0:
        return None, at
    if at + length > len(body):
        raise IndexError
    return body[at : at + length], at + length


def _varint(body: bytes, at: int) -> tuple[int, int]:
    """A zigzag varint at `at`, and the place after it."""
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
        shift += 7
