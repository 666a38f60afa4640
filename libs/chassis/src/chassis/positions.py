"""How far a consumer is in each partition, over all its replicas: from the stored offsets and the log's ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis import kafka, offsets
from chassis.clock import Clock
from chassis.database import Database
from chassis.logview import LogView
from chassis.offsets import Held
from chassis.settings import ServiceSettings

Partition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Position:
    """How far one partition is, over all replicas.

    `end` and `lag` are None while Kafka is down. `behind_us` is 0 where all is projected, else the time since the last
    projected record was appended; None where nothing was ever projected.
    """

    topic: str
    partition: int
    end: int | None
    next_offset: int
    lag: int | None
    behind_us: int | None


class Positions:
    """Reads positions, on connections of its own."""

    def __init__(
        self, consumer: str, topics: Sequence[str], db: Database, settings: ServiceSettings, clock: Clock
    ) -> None:
        self._consumer = consumer
        self._db = db
        self._clock = clock
        self._view = LogView(settings, topics)
        self._places = [(topic, number) for topic in topics for number in range(kafka.partitions_of(settings, topic))]

    async def read(self, held: Mapping[Partition, Held]) -> list[Position]:
        """Every partition, in the order of topic and number. Raises Unavailable without the database.

        Of those `held` here what is known may be ahead of the table, by records without effects.
        """
        ends = await self._ends()
        async with self._db.connection() as connection:
            stored = await offsets.stored(connection, self._consumer)
        ours = {place: (each.next_offset, each.appended_us) for place, each in held.items()}
        stored |= {place: ours[place] for place in ours if ours[place][0] > stored.get(place, (0, None))[0]}
        now_us = self._clock.now_us()
        return [_position(place, ends.get(place), *stored.get(place, (0, None)), now_us) for place in self._places]

    async def close(self) -> None:
        """End the connection to Kafka."""
        await self._view.close()

    async def _ends(self) -> dict[Partition, int]:
        try:
            return await self._view.ends(self._places)
        except kafka.NoAnswer:
            return {}


def _position(place: Partition, end: int | None, next_offset: int, appended_us: int | None, now_us: int) -> Position:
    lag = None if end is None else max(0, end - next_offset)
    behind_us = 0 if lag == 0 else None if appended_us is None else max(0, now_us - appended_us)
    return Position(*place, end, next_offset, lag, behind_us)
