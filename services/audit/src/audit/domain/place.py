"""Where a record stands in the log, and since when it is known."""

from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple


class Place(NamedTuple):
    """A record's place. Places sort by when they became known, so that the least is the first in any order of reading.

    `known_us` (µs since 1970) is the running maximum of the append times in the partition: a broker's clock may step
    back, knowledge does not.
    """

    known_us: int
    topic: str
    partition: int
    offset: int

    @property
    def position(self) -> str:
        """As users see it: `contacts/3/117`."""
        return f"{self.topic}/{self.partition}/{self.offset}"


def known_times(before_us: int, appended_us: Iterable[int]) -> list[int]:
    """For successive records of a partition, since when each is known; `before_us` is that of the one before them."""
    return list(accumulate(appended_us, max, initial=before_us))[1:]
