"""The known events of one request: each `event_id` once, at the first place where it stood in the log."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from audit.domain.place import Place
from events.lifecycle import Entry


class Known(NamedTuple):
    """An event and where it first stood."""

    place: Place
    entry: Entry


@dataclass(slots=True)
class History:
    """Grows by `add`; the same set of records gives the same history, in whatever order they come."""

    events: dict[str, Known] = field(default_factory=dict)

    def add(self, known: Known) -> Place | None:
        """Takes an event in. Gives the place of the record that is a duplicate thereby: this one, or one before it."""
        event_id = known.entry.event_id
        before = self.events.setdefault(event_id, known)
        if before is known:
            return None
        if before.place <= known.place:
            return known.place
        self.events[event_id] = known
        return before.place

    def copy(self) -> "History":
        """A history of its own with the same events: caches change after the commit alone."""
        return History(dict(self.events))

    def entries(self) -> list[Entry]:
        """What the fold takes, in no particular order."""
        return [entry for _, entry in self.events.values()]

    @property
    def known_us(self) -> tuple[int, int]:
        """When the first and the last of the events became known, duplicates left out; ValueError for an empty one."""
        times = [place.known_us for place, _ in self.events.values()]
        return min(times), max(times)


def history_of(events: Iterable[Known]) -> History:
    """A history of these events."""
    history = History()
    for known in events:
        history.add(known)
    return history
