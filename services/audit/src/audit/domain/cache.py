"""The histories that were touched last, so that most batches need not read anything."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping

from audit.domain.history import History


class Histories:
    """The least recently used go first. Bounded by events, since one request may have thousands."""

    def __init__(self, most_events: int) -> None:
        self._most_events = most_events
        self._events = 0
        self._held: OrderedDict[str, History] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    @property
    def events(self) -> int:
        """How many events are held at present."""
        return self._events

    def take(self, request_ids: Iterable[str]) -> dict[str, History]:
        """Those of them that are held; they count as used."""
        found = {}
        for request_id in request_ids:
            history = self._held.get(request_id)
            if history is not None:
                self._held.move_to_end(request_id)
                found[request_id] = history
        return found

    def put(self, histories: Mapping[str, History]) -> None:
        """Holds these, instead of older ones of the same requests, and lets go of what is too much."""
        for request_id, history in histories.items():
            self.drop(request_id)
            self._held[request_id] = history
            self._events += len(history.events)
        while self._events > self._most_events and self._held:
            _, gone = self._held.popitem(last=False)
            self._events -= len(gone.events)

    def drop(self, request_id: str) -> None:
        """Forgets one."""
        gone = self._held.pop(request_id, None)
        if gone is not None:
            self._events -= len(gone.events)

    def clear(self) -> None:
        """Forgets all: another process may have moved them on."""
        self._held.clear()
        self._events = 0
