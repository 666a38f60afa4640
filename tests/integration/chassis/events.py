"""Events for tests that do not care what they say."""

import itertools
import time

from chassis import ids
from chassis.store import Append, NewEvent

_COUNT = itertools.count()


def an_event(
    key: str, *, occurred_us: int | None = None, payload: bytes = b'{"agent_id":"a-1"}', topic: str = "contacts"
) -> NewEvent:
    """A Connected of the request `key`, now unless said otherwise."""
    at = time.time_ns() // 1_000 if occurred_us is None else occurred_us
    return NewEvent(ids.new_id(), "Connected", payload, at, "/services/tests", topic, key)


def a_stream(name: str | None = None, *, events: int = 1, expected: int | None = 0) -> Append:
    """An append to a stream that nobody else uses, or to the one named."""
    stream = name or f"r-{next(_COUNT)}"
    return Append(stream, expected, tuple(an_event(stream) for _ in range(events)))
