"""W3C trace context: read from HTTP, carried on events, named on every log line."""

import random
import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

# https://www.w3.org/TR/trace-context/#traceparent-header; version ff is forbidden, ids of zeros mean "none".
_TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_NO_TRACE: Final = "0" * 32
_NO_SPAN: Final = "0" * 16

_current: ContextVar["Trace | None"] = ContextVar("trace", default=None)


@dataclass(frozen=True, slots=True)
class Trace:
    """One span's place in a trace. Ids are lower-case hex; `flags` keeps the caller's sampling decision."""

    trace_id: str
    span_id: str
    flags: str = "01"

    @property
    def traceparent(self) -> str:
        """The header's value, version 00."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"

    def child(self) -> "Trace":
        """The same trace with a span id of its own."""
        return Trace(self.trace_id, _span_id(), self.flags)


def parse(header: str | None) -> Trace | None:
    """Read a `traceparent`; None where there is none or it is not one (a broken header is never an error)."""
    matched = _TRACEPARENT.fullmatch(header) if header else None
    if matched is None:
        return None
    version, trace_id, span_id, flags, rest = matched.groups()
    if version == "ff" or trace_id == _NO_TRACE or span_id == _NO_SPAN or (version == "00" and rest):
        return None
    return Trace(trace_id, span_id, flags)


def start(header: str | None = None) -> Trace:
    """The caller's trace with a span of ours, or a new trace; it becomes the current one of this task."""
    given = parse(header)
    trace = given.child() if given else Trace(f"{random.getrandbits(128):032x}", _span_id())
    _current.set(trace)
    return trace


def adopt(trace: Trace | None) -> None:
    """Make `trace` the current one of this task (a consumer's handler, a background task)."""
    _current.set(trace)


def current() -> Trace | None:
    """The trace of the running task, if any."""
    return _current.get()


def current_traceparent() -> str | None:
    """What a `NewEvent.traceparent` of the running task should be."""
    trace = _current.get()
    return trace.traceparent if trace else None


def _span_id() -> str:
    # An id tells one span from another and protects nothing: the system's generator would be two calls a request.
    return f"{random.getrandbits(64):016x}"
