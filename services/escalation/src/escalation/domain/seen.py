"""Up to which moment the log is known: a verdict rests on what did not happen, so all that did must have been seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """At `at_us` the log ended at `end`."""

    at_us: int
    end: int


class Seen:
    """For each partition the last moment whose whole log has been taken in, in µs since 1970.

    A partition that is never idle is never caught in the moment of being at its end: so an end that was seen is
    remembered, and counts for its moment as soon as it is reached.
    """

    def __init__(self) -> None:
        self._until: dict[int, int] = {}
        self._marks: dict[int, Mark] = {}

    def look(self, now_us: int, positions: Iterable[tuple[int, int | None, int]]) -> None:
        """Partition, end of its log (None where Kafka does not say) and next offset, asked for from `now_us` on."""
        for partition, end, next_offset in positions:
            mark = self._marks.get(partition)
            if mark is not None and next_offset >= mark.end:
                self._reached(partition, mark)
                mark = None
            if end is not None and next_offset >= end:
                self._reached(partition, Mark(now_us, end))
            elif end is not None and mark is None:
                self._marks[partition] = Mark(now_us, end)

    def until_us(self, partition: int) -> int:
        """The moment; 0 where nothing is known yet."""
        return self._until.get(partition, 0)

    def _reached(self, partition: int, mark: Mark) -> None:
        self._marks.pop(partition, None)
        self._until[partition] = max(self._until.get(partition, 0), mark.at_us)
