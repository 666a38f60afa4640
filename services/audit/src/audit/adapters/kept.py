"""Where the log is taken in to: raw records, months to keep them by, and summaries, in one schema."""

from collections.abc import Iterable, Sequence

from audit.adapters.records import Months, Records
from audit.adapters.summaries import Summaries
from audit.domain.batch import Row
from audit.domain.history import History
from audit.domain.place import Place
from audit.domain.summary import Summary
from chassis.database import Connection


class SqlKept:
    """See the port `Kept`."""

    def __init__(self, schema: str) -> None:
        self._records = Records(schema)
        self._summaries = Summaries(schema)
        self._months = Months(schema)

    async def known_us(self, tx: Connection, topic: str, partition: int) -> int:
        """See Kept."""
        return await self._records.last_known_us(tx, topic, partition)

    async def histories(self, tx: Connection, request_ids: Iterable[str]) -> dict[str, History]:
        """See Kept."""
        return await self._records.histories(tx, request_ids)

    async def seen(self, tx: Connection, event_ids: Sequence[str]) -> dict[str, Place]:
        """See Kept."""
        return await self._records.seen(tx, event_ids)

    async def make_room(self, tx: Connection, known_us: Iterable[int]) -> None:
        """See Kept."""
        if missing := self._months.missing(known_us):
            await self._months.make(tx, missing)

    async def append(self, tx: Connection, rows: Sequence[Row]) -> None:
        """See Kept."""
        await self._records.append(tx, rows)

    async def demote(self, tx: Connection, places: Sequence[Place]) -> None:
        """See Kept."""
        await self._records.demote(tx, places)

    async def summarise(self, tx: Connection, changed: Sequence[tuple[int, Summary]]) -> None:
        """See Kept."""
        await self._summaries.write(tx, changed)
