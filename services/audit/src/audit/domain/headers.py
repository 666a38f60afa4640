"""One byte string for the headers of a record: order, repeats, odd bytes and missing values survive the round trip."""

import struct
from collections.abc import Sequence
from itertools import chain
from typing import Final, TypeAlias

RawHeaders: TypeAlias = Sequence[tuple[bytes, bytes | None]]

_MISSING: Final = -1


def pack(headers: RawHeaders) -> bytes:
    """Big-endian 32-bit integers: how many parts follow, each part's length (-1: none); then the parts' bytes.

    The parts are key, value, key, value, … in the order of the record.
    """
    parts = list(chain.from_iterable(headers))
    lengths = [_MISSING if part is None else len(part) for part in parts]
    return struct.pack(f">{len(parts) + 1}i", len(parts), *lengths) + b"".join([part for part in parts if part])


def unpack(packed: bytes) -> list[tuple[bytes, bytes | None]]:
    """The inverse of `pack`; struct.error for what it did not make."""
    (count,) = struct.unpack_from(">i", packed)
    lengths = struct.unpack_from(f">{count}i", packed, 4)
    at = 4 + 4 * count
    parts: list[bytes | None] = []
    for length in lengths:
        if length == _MISSING:
            parts.append(None)
        else:
            parts.append(packed[at : at + length])
            at += length
    return [(key or b"", value) for key, value in zip(parts[::2], parts[1::2], strict=True)]
