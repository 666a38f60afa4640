"""Keys and streams of several commands taken hold of at once, on a real PostgreSQL."""

from __future__ import annotations

import asyncio

import pytest

from chassis import idempotency, store
from chassis.commands import Use
from chassis.database import Database
from chassis.holding import hold
from chassis.idempotency import Claim, First

USE = Use("POST /accept", "k-1", b"hash")
OTHER = Use("POST /accept", "k-2", b"hash")


async def test_what_is_free_is_held_and_what_is_not_is_left_out_without_waiting(db: Database) -> None:
    async with db.transaction() as one, db.transaction() as two:
        await store.lock_streams(one, ["r-1"])
        busy, free = await hold(two, [("r-1", None), ("r-2", USE)], waiting=False)
        assert (busy.held, free.held, free.first, free.busy) == (False, True, None, False)
        (same_key, same_stream) = await hold(one, [("r-3", USE), ("r-2", OTHER)], waiting=False)
        assert (same_key.busy, same_key.held) == (True, False)
        assert (same_stream.busy, same_stream.held) == (False, False)


async def test_a_key_that_was_used_gives_what_it_brought_and_holds_no_stream(db: Database) -> None:
    await db.run(lambda tx: idempotency.claim(tx, [Claim(USE.scope, USE.key, b"hash", b"answer")], now_us=1))
    async with db.transaction() as one, db.transaction() as two:
        (place,) = await hold(one, [("r-1", USE)], waiting=False)
        assert (place.first, place.busy, place.held) == (First(b"hash", b"answer"), False, False)
        assert (await hold(two, [("r-1", None)], waiting=False))[0].held


async def test_a_single_command_may_wait_for_its_stream_and_several_may_not(db: Database) -> None:
    async with db.transaction() as two:
        async with db.transaction() as one:
            await store.lock_streams(one, ["r-1"])
            waiting = asyncio.ensure_future(hold(two, [("r-1", USE)], waiting=True))
            done, _ = await asyncio.wait([waiting], timeout=0.1)
            assert not done
        assert (await waiting)[0].held
        with pytest.raises(ValueError, match="none may wait"):
            await hold(two, [("r-1", None), ("r-2", None)], waiting=True)
