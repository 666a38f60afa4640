"""`python -m audit.rebuild.worker FD`: a process that does a rebuild's work and ends with the one that started it."""

import asyncio
import os
import socket
import sys
from typing import Final

import uvloop

from audit.adapters.collector import calm
from audit.rebuild.means import Terms, means
from audit.rebuild.messages import Line
from audit.rebuild.reading import Reading, Share
from chassis.errors import ChassisError

# Held as long as the connection: the next rebuild waits until nobody of a killed one is left.
_HERE: Final = "select pg_advisory_lock_shared(hashtext('audit rebuild workers'))"


async def work(end: socket.socket) -> None:
    """Does what it is told over this socket until the other end is closed."""
    line = await Line.over(end)
    await calm()
    terms, number = await line.hear()
    assert isinstance(terms, Terms)
    async with means(terms, f"audit rebuild {number}") as found:
        await found.connection.execute(_HERE)
        reading = Reading(terms, found)
        orders: asyncio.Queue[tuple[object, ...]] = asyncio.Queue()
        hearing = asyncio.create_task(_hear(line, orders))
        try:
            while True:
                await _answer(line, reading, await orders.get())
        finally:
            hearing.cancel()


async def _hear(line: Line, orders: asyncio.Queue[tuple[object, ...]]) -> None:
    while True:
        try:
            orders.put_nowait(await line.hear())
        except EOFError:
            # Nobody is left to work for. What is half done PostgreSQL rolls back.
            os._exit(0)


async def _answer(line: Line, reading: Reading, order: tuple[object, ...]) -> None:
    def done(more: int) -> None:
        line.tell("done", more)

    try:
        match order:
            case ("read", Share() as share):
                line.tell("over", await reading.read(share, done))
            case ("fold", int(number), int(of)):
                await reading.fold(number, of, done)
                line.tell("over", None)
            case _:
                raise AssertionError(f"no such order: {order}")
    except ChassisError as error:
        line.tell("failed", str(error))


if __name__ == "__main__":
    uvloop.run(work(socket.socket(fileno=int(sys.argv[1]))))
