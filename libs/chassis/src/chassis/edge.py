"""The one ASGI layer around every request: ids, trace, limits, deadline, metrics, access log, the last word on errors.

One layer and not six: each costs about 2 µs in calls alone, and the hot lane passes through all of them.
"""

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import structlog
from prometheus_client import Counter, Histogram
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import trace
from chassis.errors import Invalid, Refused, TooLarge, Unavailable
from chassis.logs import AccessLog
from chassis.metrics import HTTP_DURATION, HTTP_REQUESTS, Metrics
from chassis.problems import problem

BODY_LIMIT: Final = 1 << 20
# A call may take this long, and longer by what its path's limit needs at 64 KiB/s, until its answer begins.
_DEADLINE_S: Final = 30.0
_SLOWEST_BYTES_PER_S: Final = 65_536
_OWN_ID: Final = re.compile(rb"[A-Za-z0-9._:-]{1,100}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Nobody reads it: it is how logs and metrics show a caller who left before his request was whole.
_CALLER_LEFT: Final = 499
_UNMATCHED: Final = "unmatched"
_QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """What the edge needs: body limits in bytes by exact path (others 1 MiB), and the lanes.

    A lane is a plain route without path parameters, by method and path: the edge calls its endpoint itself, past the
    framework's own layers, which cost more than all that is done here. It may raise Refused and no HTTPException.
    """

    metrics: Metrics
    access_log: AccessLog
    body_limits: Mapping[str, int] = field(default_factory=dict)
    lanes: Mapping[tuple[str, str], Route] = field(default_factory=dict)


class Edge:
    """ASGI middleware; see the module."""

    def __init__(self, app: ASGIApp, settings: EdgeSettings) -> None:
        self._app = app
        self._limits = dict(settings.body_limits)
        self._lanes = dict(settings.lanes)
        self._access_log = settings.access_log
        self._counts = _Counts(settings.metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limits.get(scope["path"], BODY_LIMIT)
        exchange = _Exchange(scope, receive, send, limit)
        try:
            async with asyncio.timeout(_DEADLINE_S + limit / _SLOWEST_BYTES_PER_S) as exchange.deadline:
                _check_text(scope)
                exchange.check_length()
                await self._dispatch(exchange)
        except Refused as refused:
            await exchange.refuse(refused)
        except ClientDisconnect:
            exchange.status = exchange.status or _CALLER_LEFT
        except TimeoutError:
            await exchange.fail(
                Unavailable("This took too long: retry with the same key to hear what was done."), "request_timed_out"
            )
        # The contract: whatever goes wrong inside is a 503 with a problem object, never a 500.
        except Exception:  # noqa: BLE001
            await exchange.fail(Unavailable("An unexpected fault: retry with the same key."), "request_failed")
        finally:
            self._account(exchange)

    async def _dispatch(self, exchange: "_Exchange") -> None:
        scope = exchange.scope
        lane = self._lanes.get((scope["method"], scope["path"]))
        if lane is None:
            await self._app(scope, exchange.receive, exchange.send)
            return
        scope["route"] = lane
        response = await lane.endpoint(Request(scope, exchange.receive))
        await response(scope, exchange.receive, exchange.send)

    def _account(self, exchange: "_Exchange") -> None:
        scope = exchange.scope
        elapsed_ns = time.perf_counter_ns() - exchange.begun_ns
        route = getattr(scope.get("route"), "path", _UNMATCHED)
        self._counts.add(scope["method"], route, exchange.status, elapsed_ns)
        if route not in _QUIET:
            self._access_log.write(exchange.line(route, elapsed_ns // 1_000))


class _Exchange:
    """One request and its answer."""

    __slots__ = (
        "_limit", "_receive", "_send", "_taken", "_trace", "begun_ns", "deadline", "http_request_id", "scope",
        "sent", "status",
    )  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        self.begun_ns = time.perf_counter_ns()
        self.scope = scope
        self.deadline: asyncio.Timeout | None = None
        self.status = 0
        self.sent = 0
        self._receive = receive
        self._send = send
        self._limit = limit
        self._taken = 0
        traceparent = own_id = None
        for name, value in scope["headers"]:
            if name == b"traceparent":
                traceparent = value.decode("latin-1")
            elif name == b"x-request-id":
                own_id = value
        self._trace = trace.start(traceparent)
        # Without one of the caller's the span's id serves: it is as unique and already made.
        given = own_id is not None and _OWN_ID.fullmatch(own_id)
        self.http_request_id = own_id if given and own_id else self._trace.span_id.encode()

    def check_length(self) -> None:
        """Refuse by the announced length before a byte of the body is read."""
        for name, value in self.scope["headers"]:
            if name == b"content-length" and int(value) > self._limit:
                raise self._too_large()

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._taken += len(message.get("body", b""))
            if self._taken > self._limit:
                raise self._too_large()
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self.http_request_id)]
            if self.deadline is not None:
                # From here on the answer may stream for as long as it is read.
                self.deadline.reschedule(None)
        else:
            self.sent += len(message.get("body", b""))
        await self._send(message)

    async def refuse(self, refused: Refused) -> None:
        """Answer with the problem, unless an answer has begun already: then the broken connection says it."""
        self.deadline = None
        if self.status == 0:
            await problem(refused)(self.scope, self._receive, self.send)

    async def fail(self, refused: Refused, event: str) -> None:
        """Log the exception in hand, then `refuse`."""
        _log.exception(event, method=self.scope["method"], path=self.scope["path"])
        await self.refuse(refused)

    def line(self, route: str, duration_us: int) -> dict[str, Any]:
        """The access log's fields. No query: it may hold personal data."""
        scope = self.scope
        line = {
            "method": scope["method"],
            "route": route,
            "status": self.status,
            "duration_us": duration_us,
            "bytes": self.sent,
            "trace_id": self._trace.trace_id,
            "http_request_id": self.http_request_id.decode("latin-1"),
        }
        principal = scope.get("principal")
        if principal is not None:
            line["caller"] = principal.name
        parameters = scope.get("path_params")
        if parameters and "request_id" in parameters:
            line["request_id"] = parameters["request_id"]
        return line

    def _too_large(self) -> TooLarge:
        return TooLarge(f"At most {self._limit} bytes are taken here: send less at a time.")


class _Counts:
    """The HTTP metrics with their children at hand: looking one up by labels costs more than counting."""

    def __init__(self, metrics: Metrics) -> None:
        self._requests = metrics.counter(HTTP_REQUESTS)
        self._durations = metrics.histogram(HTTP_DURATION)
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def add(self, method: str, route: str, status: int, elapsed_ns: int) -> None:
        children = self._children.get((method, route, status))
        if children is None:
            shown = method if method in _METHODS else "OTHER"
            children = self._requests.labels(shown, route, str(status)), self._durations.labels(shown, route)
            self._children[method, route, status] = children
        children[0].inc()
        children[1].observe(elapsed_ns / 1e9)


def _check_text(scope: Scope) -> None:
    """Refuse NUL and what is not UTF-8 in path and query; nothing but %-escapes can bring them in here."""
    for what, raw in (("path", scope.get("raw_path") or b""), ("query", scope["query_string"])):
        if b"%" in raw:
            try:
                text = unquote_to_bytes(raw).decode()
            except UnicodeDecodeError as error:
                raise Invalid([{"field": what, "reason": "is not UTF-8"}]) from error
            if "\0" in text:
                raise Invalid([{"field": what, "reason": "must not hold NUL characters"}])
