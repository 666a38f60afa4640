"""A lean reader of server-sent events, so that the desks that listen are not what is measured."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import cast

import httptools

Told = Callable[[str, bytes], None]


class EventStream(asyncio.Protocol):
    """One stream: `told(event, data)` is called for each event of one line of data; `over` is done when it ends.

    Raises RuntimeError in `over` where the answer is not 200.
    """

    def __init__(self, path: str, headers: Mapping[str, str], told: Told) -> None:
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._asked = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{head}\r\n".encode()
        self._told = told
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._rest, self._event = b"", "message"
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def close(self) -> None:
        """Ends it."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands."""
        # uvloop's transports have the methods without the base class.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._asked)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes came in."""
        self._parser.feed_data(data)

    def connection_lost(self, _exc: Exception | None) -> None:
        """asyncio: it is over."""
        if not self.over.done():
            self.over.set_result(None)

    def on_headers_complete(self) -> None:
        """httptools: the status is known."""
        if (status := self._parser.get_status_code()) != 200 and not self.over.done():
            self.over.set_exception(RuntimeError(f"a stream was answered {status}"))

    def on_body(self, body: bytes) -> None:
        """httptools: some lines, the last of which may not be whole."""
        *lines, self._rest = (self._rest + body).split(b"\n")
        for line in lines:
            field, _, value = line.partition(b":")
            if field == b"event":
                self._event = value.strip().decode()
            elif field == b"data":
                self._told(self._event, value.strip())
