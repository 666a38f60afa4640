"""The first reading of a rebuild: raw rows by the thousand, and the histories of as many requests as memory allows."""

import zlib
from collections.abc import Iterator, Sequence
from typing import Final

from audit.domain.batch import Arrival
from audit.domain.history import History, Known
from audit.domain.place import Place
from audit.domain.reading import NO_REQUEST

_ALL: Final = 1 << 32


class Remembered:
    """Histories of the requests whose hash lies below a limit; the limit is halved whenever they become too many.

    So it is known of every request, without a list of them, whether its history is whole here or has to be read later.
    """

    def __init__(self, most_events: int) -> None:
        """With 0 nothing is remembered."""
        self._most_events = most_events
        self._limit = _ALL if most_events else 0
        self._events = 0
        self._histories: dict[str, History] = {}
        self.demoted: list[Place] = []
        """Rows that were written before it turned out that their event had stood elsewhere before."""

    def holds(self, request_id: str) -> bool:
        """Whether this request's whole history is here."""
        return zlib.crc32(request_id.encode()) < self._limit

    @property
    def holds_all(self) -> bool:
        """Whether nothing had to be forgotten: every request's history is here."""
        return self._limit == _ALL

    def take(self, arrived: Sequence[Arrival]) -> None:
        """Takes records in before they are written, and marks those that are duplicates."""
        here = {arrival.place: arrival for arrival in arrived}
        for arrival in arrived:
            if arrival.entry is None or arrival.request_id == NO_REQUEST or not self.holds(arrival.request_id):
                continue
            history = self._histories.setdefault(arrival.request_id, History())
            twin = history.add(Known(arrival.place, arrival.entry))
            if twin is None:
                self._events += 1
            elif twin in here:
                here[twin].duplicate = True
            else:
                self.demoted.append(twin)
        while self._events > self._most_events:
            self._forget_half()

    def histories(self) -> Iterator[tuple[str, History]]:
        """All that are held, in the order of their request ids."""
        return ((request_id, self._histories[request_id]) for request_id in sorted(self._histories))

    def _forget_half(self) -> None:
        self._limit //= 2
        self._histories = {id_: history for id_, history in self._histories.items() if self.holds(id_)}
        self._events = sum(len(history.events) for history in self._histories.values())
