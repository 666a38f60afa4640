"""uvicorn run from the program, behind a protocol that does not wait for slow or swollen requests for ever."""

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import orjson
import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from chassis import collector
from chassis.errors import Invalid, Refused, TooLarge
from chassis.one_write import OneWrite
from chassis.problems import MEDIA_TYPE, to_object
from chassis.service import Service

KEEP_ALIVE_S: Final = 75
GRACE_S: Final = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may take in bytes and seconds."""

    head_bytes: int = 32_768
    head_s: float = 10.0
    """From a request's first byte (or the connection's beginning) to the end of its headers."""
    window_s: float = 10.0
    window_bytes: int = 10_240
    """A body must bring so many bytes in each window, unless it is the service that does not read."""
    unread_bytes: int = 32 << 20
    """What a caller may go on sending after he has been answered, before the connection is cut."""


_log = structlog.get_logger(__name__)


class GuardedProtocol(HttpToolsProtocol):
    """httptools with limits on the head's bytes and on the time of a half-sent request.

    Times are looked at only when a chunk leaves a request unfinished: a request in one segment pays for no timer.
    """

    limits: ClassVar[Limits] = Limits()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._in_head = True
        self._in_body = False
        self._head_bytes = 0
        self._window_bytes = 0
        self._unread_bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self.transport = OneWrite(transport, self.loop)
        self._arm(self.limits.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > self.limits.head_bytes:
            self._head_too_large()
        elif self._in_head or self._in_body:
            if self._timer is None:
                self._arm(self.limits.head_s if self._in_head else self.limits.window_s)
        else:
            self._disarm()

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if self.transport.is_closing():
            return
        if self._head_bytes > self.limits.head_bytes and self._size_of_head() > self.limits.head_bytes:
            self._head_too_large()
            return
        self._in_head = False
        self._in_body = True
        self._head_bytes = self._window_bytes = self._unread_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._in_head:
            return
        self._window_bytes += len(body)
        if self.cycle.response_complete:
            self._unread_bytes += len(body)
            if self._unread_bytes > self.limits.unread_bytes:
                self.transport.close()
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._in_head:
            return
        self._in_body = False
        self._head_bytes = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the text is ours
        """Not HTTP at all: answered as a problem like everything else."""
        self._cut(400, Invalid([{"field": "request", "reason": "is not HTTP/1.1"}]))

    def _size_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _head_too_large(self) -> None:
        self._cut(413, TooLarge(f"The request line and headers together may have {self.limits.head_bytes} bytes."))

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, self._too_slow)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self._in_body and (self._window_bytes >= self.limits.window_bytes or self.flow.read_paused):
            self._window_bytes = 0
            self._arm(self.limits.window_s)
        elif self._in_head and self._head_bytes == 0:
            self.transport.close()
        else:
            self._cut(408, Invalid([{"field": "request", "reason": "was not sent in time"}]))

    def _cut(self, status: int, refused: Refused) -> None:
        if self.transport.is_closing():
            return
        body = orjson.dumps(to_object(refused, status=status))
        head = b"content-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % (MEDIA_TYPE.encode(), len(body))
        # After an answer has begun nothing may be put between its parts.
        if not self._answering():
            self.transport.write(STATUS_LINE[status] + head + body)
        _log.info("request_cut", status=status, client=self.client)
        self.transport.close()

    def _answering(self) -> bool:
        # uvicorn declares `cycle` as always there; before the first request it is None.
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and cycle.response_started and not cycle.response_complete


class Server(uvicorn.Server):
    """uvicorn's server: tells the service of a stop before it waits for open streams, and stops when that crashes."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._service.crashed.is_set()

    async def shutdown(self, sockets: Any = None) -> None:
        self._service.stopping.set()
        await super().shutdown(sockets)


def configuration(
    app: FastAPI, host: str, port: int, protocol: type[GuardedProtocol] = GuardedProtocol
) -> uvicorn.Config:
    """How uvicorn is run: uvloop, our protocol, no access log and no concurrency limit of its own (plain text)."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=protocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # who calls is told by his token, not by his address
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
        backlog=2_048,
    )


def serve(app: FastAPI, service: Service, host: str, port: int) -> int:
    """Serve until SIGTERM or SIGINT; returns the process's exit code. Blocks. The process is the service's alone."""
    service.around(start=collector.calm)
    server = Server(configuration(app, host, port), service)
    server.run()
    return service.exit_code
