"""Structured logs: one JSON object a line on stdout, event names in snake case, ids as fields."""

import asyncio
import logging
import sys
import time
from collections.abc import MutableMapping
from typing import Any, BinaryIO, Final

import orjson
import structlog

from chassis import trace
from events.times import to_text

_FLUSH_S: Final = 0.1
_MOST_LINES: Final = 500
_CHATTY: Final = ("aiokafka", "asyncio", "alembic")


def configure(service: str, level: str = "INFO") -> None:
    """Set structlog and the standard library's logging up, once, at the start of the process.

    Every line has `at` (RFC 3339, µs), `level`, `event`, `service`, and `trace_id` where a trace is current.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _Stamp(service),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_serialize)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.BytesLoggerFactory(file=sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    _capture_stdlib(shared, level)


class AccessLog:
    """The line for each answered request. Lines are gathered for a tenth of a second: one write for many of them."""

    def __init__(self, service: str, out: BinaryIO | None = None) -> None:
        """`out` is stdout unless given."""
        self._service = service
        self._out = out
        self._lines: list[bytes] = []
        self._flushing: asyncio.TimerHandle | None = None

    def write(self, fields: dict[str, Any]) -> None:
        """Add one line; to be called in the event loop's thread."""
        now_us = time.time_ns() // 1_000
        line = {"at": to_text(now_us), "level": "info", "event": "http_request", "service": self._service, **fields}
        self._lines.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        if len(self._lines) >= _MOST_LINES:
            self.flush()
        elif self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(_FLUSH_S, self.flush)

    def flush(self) -> None:
        """Write out what was gathered."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        lines, self._lines = self._lines, []
        if lines:
            out = self._out or sys.stdout.buffer
            out.write(b"".join(lines))
            out.flush()


class _Stamp:
    """The processor that adds what every line has."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        line["at"] = to_text(time.time_ns() // 1_000)
        line["service"] = self._service
        current = trace.current()
        if current is not None:
            line["trace_id"] = current.trace_id
        return line


def _capture_stdlib(shared: list[Any], level: str) -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=lambda line, **kw: _serialize(line, **kw).decode()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def _serialize(line: Any, **_options: Any) -> bytes:
    return orjson.dumps(line, default=repr)
