"""A few connections that many tasks take in turns: what asyncpg's own pool adds costs more than most statements do."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg

from chassis.sessions import Connection

Connect = Callable[[], Awaitable[Connection]]


class Pool:
    """At most `most` connections, made when they are needed. Who comes first is served first.

    A connection is taken back as it is: whoever cannot vouch for its state terminates it before.
    """

    def __init__(self, connect: Connect, most: int) -> None:
        self._connect = connect
        self._most = most
        self._made = 0
        self._idle: list[Connection] = []
        self._lent: set[Connection] = set()
        # To who waits a connection is handed, or None: the right to make one.
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()

    async def acquire(self) -> Connection:
        """A connection that was open when it was looked at last. Raises what connecting raises."""
        connection = self._free() or await self._handed()
        if connection is None:
            try:
                connection = await self._connect()
            # A caller who is cancelled while he connects gives his turn on too: else it is lost, and the pool shrinks.
            except BaseException:
                self._give_up()
                raise
        self._lent.add(connection)
        return connection

    def release(self, connection: Connection) -> None:
        """Takes it back; a closed one makes room for another."""
        self._lent.discard(connection)
        if connection.is_closed():
            self._give_up()
            return
        if (turn := self._next()) is None:
            self._idle.append(connection)
        else:
            turn.set_result(connection)

    async def close(self) -> None:
        """Ends all connections: those in use at once, the others gracefully."""
        for connection in list(self._lent):
            connection.terminate()
        while self._idle:
            with suppress(OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError):
                await self._idle.pop().close(timeout=1)

    def _free(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._made -= 1
        return None

    async def _handed(self) -> Connection | None:
        if self._made < self._most:
            self._made += 1
            return None
        turn: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            self._decline(turn)
            raise

    def _decline(self, turn: "asyncio.Future[Connection | None]") -> None:
        """Whoever waited for it has gone: what was handed to him in the last moment goes to the next one."""
        if turn.cancelled():
            return
        if turn.done() and (connection := turn.result()) is not None:
            self.release(connection)
        elif turn.done():
            self._give_up()

    def _give_up(self) -> None:
        """One connection less: the next one who waits may make another."""
        turn = self._next()
        if turn is None:
            self._made -= 1
        else:
            turn.set_result(None)

    def _next(self) -> "asyncio.Future[Connection | None] | None":
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                return turn
        return None
