"""The pool of connections, with connections that only say whether they are open."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from chassis.pool import Pool
from chassis.sessions import Connection


class Line:
    """A connection as far as the pool knows one."""

    def __init__(self) -> None:
        self.closed = False

    def is_closed(self) -> bool:
        return self.closed

    def terminate(self) -> None:
        self.closed = True

    async def close(self, timeout: float) -> None:  # noqa: ASYNC109  # asyncpg's own signature
        assert timeout > 0
        self.closed = True


class Exchange:
    """Makes lines and counts them; fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.made: list[Line] = []
        self._failures = failures

    async def connect(self) -> Connection:
        await asyncio.sleep(0)
        if self._failures:
            self._failures -= 1
            raise OSError("nobody answers")
        self.made.append(Line())
        return cast(Connection, self.made[-1])


async def test_a_connection_given_back_is_lent_again() -> None:
    exchange = Exchange()
    pool = Pool(exchange.connect, 2)
    first = await pool.acquire()
    pool.release(first)
    assert await pool.acquire() is first
    assert len(exchange.made) == 1


async def test_no_more_than_so_many_are_made_and_who_waits_is_served_in_order() -> None:
    exchange = Exchange()
    pool = Pool(exchange.connect, 2)
    lent = [await pool.acquire(), await pool.acquire()]
    waiting = [asyncio.create_task(pool.acquire()) for _ in range(3)]
    await asyncio.sleep(0)
    pool.release(lent[1])
    newcomer = asyncio.create_task(pool.acquire())
    assert await waiting[0] is lent[1]
    pool.release(lent[0])
    assert await waiting[1] is lent[0]
    assert not newcomer.done()
    pool.release(await waiting[0])
    pool.release(await waiting[1])
    assert {await waiting[2], await newcomer} == set(lent)
    assert len(exchange.made) == 2


async def test_a_closed_connection_makes_room_for_another() -> None:
    exchange = Exchange()
    pool = Pool(exchange.connect, 1)
    broken = await pool.acquire()
    waiting = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    broken.terminate()
    pool.release(broken)
    assert await waiting is not broken
    pool.release(await waiting)
    exchange.made[-1].closed = True
    assert not (await pool.acquire()).is_closed()
    assert len(exchange.made) == 3


async def test_a_failure_to_connect_leaves_the_room_to_the_next() -> None:
    exchange = Exchange(failures=2)
    pool = Pool(exchange.connect, 1)
    first, second, third = (asyncio.create_task(pool.acquire()) for _ in range(3))
    for task in (first, second):
        with pytest.raises(OSError, match="nobody"):
            await task
    assert not (await third).is_closed()


@pytest.mark.parametrize("handed", [False, True])
async def test_who_goes_away_while_he_waits_takes_nothing_with_him(handed: bool) -> None:
    exchange = Exchange()
    pool = Pool(exchange.connect, 1)
    only = await pool.acquire()
    gone, staying = asyncio.create_task(pool.acquire()), asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    if handed:
        pool.release(only)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    if not handed:
        pool.release(only)
    assert await staying is only


async def test_the_end_closes_what_waits_and_what_is_lent() -> None:
    exchange = Exchange()
    pool = Pool(exchange.connect, 2)
    await pool.acquire()
    pool.release(await pool.acquire())
    await pool.close()
    assert [line.closed for line in exchange.made] == [True, True]
