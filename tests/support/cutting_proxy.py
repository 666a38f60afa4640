"""A TCP proxy before PostgreSQL that can cut the line between a COMMIT and its answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

# A simple query message: its type, four bytes of length, the text, a NUL.
COMMIT = b"commit\x00"
# In the start-up message of the dedicated connections that contacts and imports are written on.
WRITER = b" writer\x00"


class CuttingProxy:
    """Passes everything on. `cuts` says how many commits of writers still lose their answer; `cut` counts those."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream)
        self._port = 0
        self.cuts = 0
        self.cut = 0

    @property
    def url(self) -> str:
        """The upstream's URL by way of this proxy."""
        user = self._upstream.netloc.rpartition("@")[0]
        return urlunsplit(self._upstream._replace(netloc=f"{user}@127.0.0.1:{self._port}"))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[CuttingProxy]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, down: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        assert self._upstream.hostname
        assert self._upstream.port
        up, forth = await asyncio.open_connection(self._upstream.hostname, self._upstream.port)
        answers = asyncio.create_task(_pass_on(up, back))
        writer = False
        try:
            while sent := await down.read(65_536):
                writer = writer or WRITER in sent
                if writer and self.cuts and sent.endswith(COMMIT):
                    self.cuts -= 1
                    answers.cancel()
                    await asyncio.wait([answers])
                    forth.write(sent)
                    await forth.drain()
                    await up.read(65_536)  # it is done, and nobody will hear of it
                    self.cut += 1
                    return
                forth.write(sent)
                await forth.drain()
        except ConnectionError:
            return
        finally:
            answers.cancel()
            forth.close()
            back.close()


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while got := await source.read(65_536):
            sink.write(got)
            await sink.drain()
        sink.close()
    except ConnectionError:
        sink.close()
