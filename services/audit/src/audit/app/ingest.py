"""Takes batches of the log in: raw rows and summaries, in the transaction that also moves the offsets."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from audit.app.ahead import Ahead
from audit.app.ports import Kept, StaleHistory
from audit.domain.batch import Arrival, Joined, Raw, Row, arrive, join
from audit.domain.cache import Histories
from audit.domain.cursor import Partition
from audit.domain.history import History
from audit.domain.place import Place
from audit.domain.reading import NO_REQUEST
from audit.domain.summary import Summary, summarise
from chassis.database import Connection

T = TypeVar("T")

_AT_ONCE: Final = 200
"""How many records or requests are worked on before other tasks get their turn."""

_ROWS_AT_ONCE: Final = 1_000
_REQUESTS_AT_ONCE: Final = 500
"""How many are given to PostgreSQL as one piece: it writes them while the next are made."""

_WHOLE_BATCH: Final = 100
"""Pieces that may wait for their turn: what they hold is in memory anyway."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What was odd about a batch that is committed, in records."""

    duplicates: int
    unreadable: int


class Ingest:
    """Takes records in, exactly once per place in the log: a BatchHandler of the chassis.

    The transaction takes its number with the first write, so it reads and joins before it writes anything: other
    services' relays wait only for what comes after.
    """

    def __init__(self, kept: Kept, *, most_events: int, told: Callable[[Taken], None] = lambda _: None) -> None:
        """At most `most_events` are cached; `told` is called after each commit."""
        self._kept = kept
        self._told = told
        self._histories = Histories(most_events)
        self._known: dict[Partition, int] = {}

    async def handle(self, tx: Connection, records: Sequence[Raw]) -> Callable[[], None]:
        """See BatchHandler. Raises StaleHistory, and then reads all anew the next time."""
        known = {place: await self._known_us(tx, place) for place in {(r.topic, r.partition) for r in records}}
        arrived: list[Arrival] = []
        for part in _parts(records):
            arrived += arrive(part, known)
            await asyncio.sleep(0)
        histories = await self._histories_of(tx, {arrival.request_id for arrival in arrived} - {NO_REQUEST})
        joined = join(arrived, histories, await self._seen(tx, arrived))
        await self._kept.make_room(tx, [arrival.place.known_us for arrival in arrived])
        await self._write(tx, joined, histories)
        return lambda: self._committed(known, joined)

    def lost(self, partitions: Iterable[Partition]) -> None:
        """See BatchHandler."""
        self._histories.clear()
        for partition in partitions:
            self._known.pop(partition, None)

    async def _write(self, tx: Connection, joined: Joined, histories: Mapping[str, History]) -> None:
        """PostgreSQL writes what is made while the next is made here.

        Known requests go first: to change a row takes it longest, and there is most to make meanwhile.
        """
        known = joined.changed & histories.keys()
        try:
            async with Ahead(_WHOLE_BATCH) as writing:
                for arrived in _parts(joined.arrived, _ROWS_AT_ONCE):
                    await writing.start(self._kept.append(tx, await _rows(arrived)))
                for request_ids in (known, joined.changed - known):
                    for some in _parts(list(request_ids), _REQUESTS_AT_ONCE):
                        changed = await _summaries(some, joined, histories)
                        await writing.start(self._kept.summarise(tx, changed))
        except StaleHistory:
            self._histories.clear()
            raise
        await self._kept.demote(tx, joined.demoted)

    def _committed(self, known: dict[Partition, int], joined: Joined) -> None:
        self._known.update(known)
        self._histories.put(joined.grown)
        duplicates = sum([arrival.duplicate for arrival in joined.arrived])
        unreadable = sum([arrival.unreadable is not None for arrival in joined.arrived])
        self._told(Taken(duplicates, unreadable))

    async def _known_us(self, tx: Connection, place: Partition) -> int:
        known_us = self._known.get(place)
        return await self._kept.known_us(tx, *place) if known_us is None else known_us

    async def _histories_of(self, tx: Connection, request_ids: set[str]) -> dict[str, History]:
        held = self._histories.take(request_ids)
        missing = request_ids - held.keys()
        return held | await self._kept.histories(tx, missing) if missing else held

    async def _seen(self, tx: Connection, arrived: Sequence[Arrival]) -> dict[str, Place]:
        event_ids = [a.entry.event_id for a in arrived if a.entry is not None and a.request_id == NO_REQUEST]
        return await self._kept.seen(tx, event_ids) if event_ids else {}


async def _rows(arrived: Sequence[Arrival]) -> list[Row]:
    rows: list[Row] = []
    for some in _parts(arrived):
        rows += [arrival.row() for arrival in some]
        await asyncio.sleep(0)
    return rows


async def _summaries(
    request_ids: Sequence[str], joined: Joined, histories: Mapping[str, History]
) -> list[tuple[int, Summary]]:
    """Of each of these requests, with the number of events that it had before."""
    changed: list[tuple[int, Summary]] = []
    for ids in _parts(request_ids):
        changed += [(_size(histories.get(id_)), summarise(id_, joined.grown[id_])) for id_ in ids]
        await asyncio.sleep(0)
    return changed


def _parts(items: Sequence[T], size: int = _AT_ONCE) -> Iterator[Sequence[T]]:
    return (items[at : at + size] for at in range(0, len(items), size))


def _size(history: History | None) -> int:
    return 0 if history is None else len(history.events)
