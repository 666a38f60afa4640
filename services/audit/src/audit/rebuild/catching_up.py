"""What arrived during a rebuild is taken in like any batch; then the schemas are swapped while the consumer waits."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import structlog

from audit.adapters.kept import SqlKept
from audit.adapters.log import CONSUMER
from audit.adapters.schema import SHADOW
from audit.app.ingest import Ingest
from audit.domain.cursor import Partition
from audit.rebuild.shadow import write_progress
from audit.rebuild.source import Read, Source, pieces
from chassis import offsets
from chassis.database import Connection, Writer
from chassis.errors import Transient

# The last records are taken in while the live consumer is held up: so few, and not for longer than so.
_FEW: Final = 1_000
_HOLD_UP_S: Final = 2.0
_ATTEMPTS: Final = 100
_OFFSETS: Final = "select topic, partition, next_offset from consumer_offsets where consumer = $1"
_log = structlog.get_logger(__name__)

Swap = Callable[[Connection], Awaitable[None]]


class TooFarBehind(Transient):
    """The live projection has moved on too far for a swap: catch up and try again."""


class CatchingUp:
    """Follows the live projection until it can take its place at exactly the same offsets.

    Nothing of the live consumer's changes then, neither its offsets nor its epoch: it goes on with its next batch.
    """

    def __init__(self, writer: Writer, source: Source, *, most_events: int) -> None:
        self._writer = writer
        self._source = source
        self._ingest = Ingest(SqlKept(SHADOW), most_events=most_events)

    async def run(self, places: Mapping[Partition, int], swap: Swap) -> dict[Partition, int]:
        """Takes in what is missing, and calls `swap` in the transaction that proves that nothing is.

        The offsets then. Raises Transient errors where it cannot be done.
        """
        for attempt in range(_ATTEMPTS):
            places = await self._follow(places)
            try:
                return await self._swapped(places, swap)
            except Transient as error:
                if attempt == _ATTEMPTS - 1:
                    raise
                _log.info("swap_tried_again", reason=str(error))
                self._ingest.lost(places)
        raise AssertionError("the last attempt raises or returns")

    async def _follow(self, places: Mapping[Partition, int]) -> dict[Partition, int]:
        bounds = await self._writer.run(live)
        at = dict(places)
        while _missing(at, bounds) > _FEW:
            for partition, bound in _behind(at, bounds):
                read = await self._source.read(partition, at.get(partition, 0), bound)
                for piece in pieces(read):
                    at |= await self._writer.run(partial(self._write, partition=partition, piece=piece))
            bounds = await self._writer.run(live)
        return at

    async def _swapped(self, places: Mapping[Partition, int], swap: Swap) -> dict[Partition, int]:
        async def work(tx: Connection) -> dict[Partition, int]:
            bounds = await live(tx)
            # From here on no batch of the live consumer begins, and none is half done.
            await offsets.quiet(tx, CONSUMER, bounds)
            bounds, at = await live(tx), dict(places)
            if _missing(at, bounds) > _FEW:
                raise TooFarBehind(f"{_missing(at, bounds)} records are missing")
            async with asyncio.timeout(_HOLD_UP_S):
                while _missing(at, bounds):
                    for partition, bound in _behind(at, bounds):
                        read = await self._source.read(partition, at.get(partition, 0), bound)
                        at |= await self._write(tx, partition, read)
            await swap(tx)
            return at

        try:
            return await self._writer.run(work)
        except TimeoutError as error:
            raise TooFarBehind("the last records could not be read in time") from error

    async def _write(self, tx: Connection, partition: Partition, piece: Read) -> dict[Partition, int]:
        records, behind = piece
        if records:
            (await self._ingest.handle(tx, records))()
        await write_progress(tx, {partition: behind})
        return {partition: behind}


def _missing(places: Mapping[Partition, int], bounds: Mapping[Partition, int]) -> int:
    return sum(bound - places.get(partition, 0) for partition, bound in bounds.items())


def _behind(places: Mapping[Partition, int], bounds: Mapping[Partition, int]) -> list[tuple[Partition, int]]:
    return [(partition, bound) for partition, bound in bounds.items() if places.get(partition, 0) < bound]


async def live(tx: Connection) -> dict[Partition, int]:
    """How far the live projection has taken in each partition."""
    rows = await tx.fetch(_OFFSETS, CONSUMER)
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
