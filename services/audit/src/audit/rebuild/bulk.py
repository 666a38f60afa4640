"""What a rebuild remembers while it reads one partition: the histories of as many requests as memory allows."""

import zlib
from collections.abc import Iterator, Sequence
from typing import Final

from audit.domain.batch import Arrival
from audit.domain.history import History, Known
from audit.domain.reading import NO_REQUEST
from events.catalogue import partition_of

_ALL: Final = 1 << 32


class Remembered:
    """Histories of the requests whose hash lies below a limit; the limit is halved whenever they become too many.

    What is not held here is folded from its rows later. So is a request with records in partitions that are not its
    own, as a stranger may write them: whoever reads one partition does not see all of its history.
    """

    def __init__(self, most_events: int, *, partition: int, partitions: int) -> None:
        """Of one partition out of so many. With no events allowed nothing is remembered."""
        self._most_events = most_events
        self._partition = partition
        self._partitions = partitions
        self._limit = _ALL if most_events else 0
        self._events = 0
        self._histories: dict[str, History] = {}

    @property
    def holds_all(self) -> bool:
        """Whether nothing had to be forgotten."""
        return self._limit == _ALL

    def take(self, arrived: Sequence[Arrival]) -> set[str]:
        """Takes records in before they are written, and marks those that are duplicates.

        Within a partition the later record is the duplicate. Gives the requests whose own partition is another.
        """
        astray = set()
        for arrival in arrived:
            if arrival.entry is None or arrival.request_id == NO_REQUEST:
                continue
            history = self._histories.get(arrival.request_id)
            if history is None:
                key = arrival.request_id.encode()
                if partition_of(key, self._partitions) != self._partition:
                    astray.add(arrival.request_id)
                    continue
                if zlib.crc32(key) >= self._limit:
                    continue
                history = self._histories[arrival.request_id] = History()
            if history.add(Known(arrival.place, arrival.entry)) is None:
                self._events += 1
            else:
                arrival.duplicate = True
        while self._events > self._most_events:
            self._forget_half()
        return astray

    def histories(self) -> Iterator[tuple[str, History]]:
        """All that are held, in the order of their request ids."""
        return ((request_id, self._histories[request_id]) for request_id in sorted(self._histories))

    def _forget_half(self) -> None:
        self._limit //= 2
        self._histories = {
            id_: history for id_, history in self._histories.items() if zlib.crc32(id_.encode()) < self._limit
        }
        self._events = sum(len(history.events) for history in self._histories.values())
