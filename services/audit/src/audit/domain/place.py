"""Where a record stands in the log, and since when it is known."""

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


def known_since(before_us: int, appended_us: int) -> int:
    """Since when a record is known, where the one before it in its partition is known since `before_us`."""
    return appended_us if appended_us > before_us else before_us
