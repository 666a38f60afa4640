"""What stands around an event's data: who says what of which request, when, and because of what."""

from typing import NamedTuple


class Envelope(NamedTuple):
    """The CloudEvents attributes of one event, in our words.

    `type` is the event's name (`Routed`); a foreign type, or a version of ours that this reader does not know, stands
    as it was sent. `subject` is the request id (of other topics the key). `sequence` is gapless per source and subject;
    None where a foreign event has none. Times are µs since 1970; `clock_us` is the raw reading where `occurred_us` was
    corrected.
    """

    event_id: str
    type: str
    version: int
    source: str
    subject: str
    occurred_us: int
    partition_key: str
    sequence: int | None
    causation_id: str | None = None
    correlation_id: str | None = None
    clock_us: int | None = None
    traceparent: str | None = None
    tracestate: str | None = None
