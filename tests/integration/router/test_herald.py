"""What replicas tell one another over a real PostgreSQL: each hears the others, and not itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from chassis.database import Database
from chassis.readiness import OK
from chassis.signals import Signals
from router.adapters.herald import QUEUE, Herald
from tests.support.until import until


@asynccontextmanager
async def replica(dsn: str, name: str, silent_s: float = 60.0) -> AsyncIterator[tuple[Herald, list[str]]]:
    """A herald that listens, and what it has heard of queues."""
    db = Database(dsn, name=name)
    await db.open()
    signals = Signals(db)
    herald, heard = Herald(db, signals, silent_s=silent_s), list[str]()
    herald.hear(QUEUE, heard.append)
    tasks = [asyncio.create_task(herald.run()), asyncio.create_task(signals.run())]
    try:
        await until(lambda: signals.check() is OK, what="the replica listens")
        heard.clear()
        yield herald, heard
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await db.close()


async def test_each_replica_hears_the_others_and_not_itself(database_url: str) -> None:
    async with AsyncExitStack() as stack:
        one, heard_by_one = await stack.enter_async_context(replica(database_url, "one"))
        two, heard_by_two = await stack.enter_async_context(replica(database_url, "two"))
        one.tell(["cards", "of two words"], [])
        await until(lambda: len(heard_by_two) == 2, what="the other hears")
        two.tell(["loans"], [])
        await until(lambda: bool(heard_by_one), what="the one hears")
        assert (heard_by_one, heard_by_two) == (["loans"], ["cards", "of two words"])


async def test_who_hears_no_other_replica_tells_nothing_until_one_comes(database_url: str) -> None:
    async with AsyncExitStack() as stack:
        one, heard_by_one = await stack.enter_async_context(replica(database_url, "one", silent_s=1.5))
        await until(lambda: one.alone, what="nobody else is heard")
        async with replica(database_url, "two") as (two, heard_by_two):
            await until(lambda: not one.alone, what="the other is heard")
            one.tell(["cards"], [])
            two.tell(["loans"], [])
            await until(lambda: (heard_by_one, heard_by_two) == (["loans"], ["cards"]), what="each is told")
        await until(lambda: one.alone, what="the other has gone")
