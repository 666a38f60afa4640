"""Appends whose times are known, as a part of a larger statement, on a real PostgreSQL."""

from __future__ import annotations

from typing import Final

import pytest

from chassis import placed, store
from chassis.database import Connection, Database
from chassis.errors import StaleTransaction, TooLarge
from chassis.store import MAX_PAYLOAD_BYTES, Append, Appended
from tests.integration.chassis.events import an_event

WRITE: Final = f"with {placed.PARTS} select array(select stream from stood)"


def at(stream: str, expected: int, *times: int) -> Append:
    """Events that occur then."""
    return Append(stream, expected, tuple(an_event(stream, occurred_us=time) for time in times))


async def write(db: Database, *appends: Append) -> Appended:
    async def work(tx: Connection) -> Appended:
        await store.lock_streams(tx, [item.stream for item in appends])
        return placed.appended(appends, await tx.fetchval(WRITE, *placed.arguments(appends)))

    return await db.run(work)


async def stored(db: Database, stream: str) -> list[tuple[int, int]]:
    """The sequence and time of each event."""
    async with db.connection() as connection:
        return [(event.sequence, event.occurred_us) for event in await store.read_stream(connection, stream)]


async def test_new_streams_and_those_that_are_there_are_written_at_once(db: Database) -> None:
    await write(db, at("r-1", 0, 10))
    done = await write(db, at("r-1", 1, 11, 12), at("r-2", 0, 5))
    assert (done.versions, done.types) == ({"r-1": 3, "r-2": 1}, {"Connected": 3})
    assert await stored(db, "r-1") == [(1, 10), (2, 11), (3, 12)]
    assert await stored(db, "r-2") == [(1, 5)]


@pytest.mark.parametrize("expected", [0, 1, 3])
async def test_a_stream_at_another_version_undoes_all(db: Database, expected: int) -> None:
    await write(db, at("r-1", 0, 10, 11))
    with pytest.raises(StaleTransaction):
        await write(db, at("r-1", expected, 20), at("r-2", 0, 20))
    assert [len(await stored(db, stream)) for stream in ("r-1", "r-2")] == [2, 0]


@pytest.mark.parametrize("time", [9, 10])
async def test_an_event_that_is_not_later_than_the_last_one_is_not_written(db: Database, time: int) -> None:
    await write(db, at("r-1", 0, 10))
    with pytest.raises(StaleTransaction):
        await write(db, at("r-1", 1, time))


async def test_the_store_goes_on_behind_what_was_written_so(db: Database) -> None:
    await write(db, at("r-1", 0, 10))
    done = await db.run(lambda tx: store.append(tx, [at("r-1", 1, 3)]))
    assert list(done.occurred_us.values()) == [11]


async def test_a_payload_that_the_log_cannot_take_is_refused(db: Database) -> None:
    with pytest.raises(TooLarge):
        await write(db, Append("r-1", 0, (an_event("r-1", payload=b" " * (MAX_PAYLOAD_BYTES + 1)),)))
