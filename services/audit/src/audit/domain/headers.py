"""One byte string for the headers of a record: order, repeats, odd bytes and missing values survive the round trip."""

import struct
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final, TypeAlias

from events.headers import name_bytes, name_text

RawHeaders: TypeAlias = Sequence[tuple[str, bytes | None]]
"""Names and values; the bytes of a name are `events.headers.name_bytes` of it."""

_MISSING: Final = -1
_COUNT: Final = struct.Struct(">i")

# What a stranger names his headers must not fill the memory.
_MOST_NAMES: Final = 1_000
_LONGEST_NAMES: Final = 1_000


def pack(headers: RawHeaders) -> bytes:
    """Big-endian 32-bit integers: how many parts follow, each part's length (-1: none); then the parts' bytes.

    The parts are name, value, name, value, … in the order of the record.
    """
    parts: list[Any] = [*chain.from_iterable(headers)]
    parts[::2] = _NAMES[tuple(parts[::2])]
    layout = _lengths(len(parts))
    try:
        return layout.pack(len(parts), *map(len, parts)) + b"".join(parts)
    except TypeError:
        # A header without a value is rare: asking each part costs more than the rest of the packing.
        lengths = [_MISSING if part is None else len(part) for part in parts]
        return layout.pack(len(parts), *lengths) + b"".join([part for part in parts if part])


def unpack(packed: bytes) -> list[tuple[str, bytes | None]]:
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
    names = [name_text(name or b"") for name in parts[::2]]
    return list(zip(names, parts[1::2], strict=True))


class _Names(dict[tuple[str, ...], list[bytes]]):
    """A record's header names in bytes: the same few rows of them stand in all records, so each is made once."""

    def __missing__(self, names: tuple[str, ...]) -> list[bytes]:
        encoded = [name_bytes(name) for name in names]
        if len(self) < _MOST_NAMES and len(names) + sum(map(len, names)) <= _LONGEST_NAMES:
            self[names] = encoded
        return encoded


_NAMES: Final = _Names()


@lru_cache(maxsize=128)
def _lengths(parts: int) -> struct.Struct:
    return struct.Struct(f">{parts + 1}i")
