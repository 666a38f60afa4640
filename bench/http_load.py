"""A lean HTTP/1.1 client and a load that does not wait for slow answers, so that the client is not what is measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import cast

import httptools

IDLE_S = 2.0  # well under a server's keep-alive, which would close the connection under a request


class Connection(asyncio.Protocol):
    """One keep-alive connection to a port on the loopback; one request at a time. ConnectionError where it breaks."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[tuple[int, bytes]] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []

    async def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body of the answer."""
        assert self._transport is not None
        self._waiter = asyncio.get_running_loop().create_future()
        head = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        start = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n{head}\r\n"
        self._transport.write(start.encode() + body)
        return await self._waiter

    def close(self) -> None:
        """Ends it."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands."""
        # uvloop's transports have the methods without the base class.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes came in."""
        self._parser.feed_data(data)

    def connection_lost(self, _exc: Exception | None) -> None:
        """asyncio: it is over."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConnectionResetError("the server closed the connection"))

    def on_body(self, body: bytes) -> None:
        """httptools: a part of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """httptools: the answer is whole; the next one gets a parser of its own."""
        status, body, self._body = self._parser.get_status_code(), b"".join(self._body), []
        self._parser = httptools.HttpResponseParser(self)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result((status, body))


async def opened(port: int) -> Connection:
    """A connection to a port on the loopback."""
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection


async def at_a_rate(per_s: float, count: int, work: Callable[[int, float], Coroutine[None, None, None]]) -> None:
    """Starts `work(number, due)` for each of `count` at its due time (time.monotonic), however the others fare.

    Latency measured from `due` counts the wait that a full server imposes on those who come later.
    """
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            due = began + number / per_s
            if (ahead := due - time.monotonic()) > 0:
                await asyncio.sleep(ahead)
            group.create_task(work(number, due))


class Pool:
    """Connections that are lent and given back; as many as are needed at once are opened."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[float, Connection]] = []  # the one used last comes last
        self._all: list[Connection] = []

    async def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """One request over a connection that nobody else uses meanwhile."""
        now = time.monotonic()
        while self._free and self._free[-1][0] < now - IDLE_S:
            self._free.pop()[1].close()
        connection = self._free.pop()[1] if self._free else await self._another()
        answer = await connection.request(method, path, body, headers)
        self._free.append((now, connection))
        return answer

    def close(self) -> None:
        """Closes all of them."""
        for connection in self._all:
            connection.close()

    async def _another(self) -> Connection:
        connection = await opened(self._port)
        self._all.append(connection)
        return connection
