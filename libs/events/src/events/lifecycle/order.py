"""When each event took effect, and in which order: by time, raised to its cause's, then by causation, type and id."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias

from events.lifecycle.entry import Entry
from events.lifecycle.table import LAST_RANK, RANK

_new: Final = tuple.__new__


class Placed(NamedTuple):
    """An event at its place. It sorts by the four first members; no two share an `event_id`."""

    effective_us: int
    depth: int
    rank: int
    event_id: str
    entry: Entry


_Times: TypeAlias = dict[str, tuple[int, int]]
"""event_id → effective time in µs, depth in the chain of causes."""


def effective(entries: Iterable[Entry]) -> list[Placed]:
    """Each event once (its first entry counts), in the order in which a fold takes them.

    An event takes effect at its own time or at its cause's effective time, whichever is later. A cause that is not
    among the entries does not count, nor does any within a circle of events that name each other. Linear but for the
    sort, and without recursion: a chain of causes may be as long as the history.
    """
    known: dict[str, Entry] = {}
    for entry in entries:
        known.setdefault(entry.event_id, entry)
    times: _Times = {}
    for event_id, entry in known.items():
        cause = entry.causation_id
        if cause is None or cause not in known:
            times[event_id] = (entry.occurred_us, 0)
        elif event_id not in times:
            if cause not in times:
                _follow(event_id, known, times)
            else:
                times[event_id] = _settled(entry, times)
    # Plain tuples are sorted several times as fast as those with names.
    plain = [(*times[id_], RANK.get(entry.type, LAST_RANK), id_, entry) for id_, entry in known.items()]
    plain.sort()
    return [_new(Placed, each) for each in plain]


def _settled(entry: Entry, times: _Times) -> tuple[int, int]:
    """The time and depth of an event whose cause is settled, or is none that counts."""
    cause = entry.causation_id
    if cause is None or cause not in times:
        return entry.occurred_us, 0
    cause_us, depth = times[cause]
    return max(cause_us, entry.occurred_us), depth + 1


def _follow(event_id: str, known: Mapping[str, Entry], times: _Times) -> None:
    """Settles an event and those of its causes that are not settled yet, beginning with the farthest."""
    path: dict[str, int] = {}
    here: str | None = event_id
    while here is not None and here in known and here not in times and here not in path:
        path[here] = len(path)
        here = known[here].causation_id
    chain = list(path)
    circle = chain[path[here] :] if here in path else []
    for member in circle:
        times[member] = (known[member].occurred_us, 0)
    for effect in reversed(chain[: len(chain) - len(circle)]):
        times[effect] = _settled(known[effect], times)
