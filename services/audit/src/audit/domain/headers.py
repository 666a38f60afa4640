"""One byte string for the headers of a record: order, repeats, odd bytes and missing values survive the round trip."""

import struct
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final, TypeAlias

RawHeaders: TypeAlias = Sequence[tuple[bytes, bytes | None]]

_MISSING: Final = -1
_COUNT: Final = struct.Struct(">i")


def pack(headers: RawHeaders) -> bytes:
    """Big-endian 32-bit integers: how many parts follow, each part's length (-1: none); then the parts' bytes.

    The parts are key, value, key, value, … in the order of the record.
    """
    parts: list[Any] = [*chain.from_iterable(headers)]
    layout = _lengths(len(parts))
    try:
        return layout.pack(len(parts), *map(len, parts)) + b"".join(parts)
    except TypeError:
        # A header without a value is rare: asking each part costs more than the rest of the packing.
        lengths = [_MISSING if part is None else len(part) for part in parts]
        return layout.pack(len(parts), *lengths) + b"".join([part for part in parts if part])


def unpack(packed: bytes) -> list[tuple[bytes, bytes | None]]:
    """The inverse of `pack`; struct.error for what it did not make."""
    (count,) = _COUNT.unpack_from(packed)
    layout = _lengths(count)
    at = layout.size
    parts: list[bytes | None] = []
    for length in layout.unpack_from(packed)[1:]:
        if length == _MISSING:
            parts.append(None)
        else:
            parts.append(packed[at : at + length])
            at += length
    return [(key or b"", value) for key, value in zip(parts[::2], parts[1::2], strict=True)]


@lru_cache(maxsize=128)
def _lengths(parts: int) -> struct.Struct:
    return struct.Struct(f">{parts + 1}i")
