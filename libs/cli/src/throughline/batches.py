"""Cuts NDJSON into batches that intake takes at once, and knows each line's place in the file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MOST_LINES = 500
MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines that are sent together: where the first one begins (bytes), their numbers in the file, and their bytes."""

    at: int
    end: int
    numbers: tuple[int, ...]
    lines: tuple[bytes, ...]

    @property
    def body(self) -> bytes:
        """What is posted."""
        return b"".join(line + b"\n" for line in self.lines)

    @property
    def digest(self) -> str:
        """Tells this batch from another at the same place, after the file was edited."""
        return hashlib.sha256(self.body).hexdigest()[:24]


def batches(file: BinaryIO, most_lines: int = MOST_LINES, most_bytes: int = MOST_BYTES) -> Iterator[Batch]:
    """All lines that are not blank, in order; a line larger than `most_bytes` goes alone.

    The cuts depend on the bytes before them only, so a resumed import finds the same batches again.
    """
    at, offset, size = 0, 0, 0
    numbers: list[int] = []
    lines: list[bytes] = []
    for number, raw in enumerate(file, 1):
        line = raw.strip()
        if lines and (len(lines) == most_lines or size + len(line) > most_bytes):
            yield Batch(at, offset, tuple(numbers), tuple(lines))
            at, size, numbers, lines = offset, 0, [], []
        offset += len(raw)
        if line:
            numbers.append(number)
            lines.append(line)
            size += len(line) + 1
    if lines:
        yield Batch(at, offset, tuple(numbers), tuple(lines))
