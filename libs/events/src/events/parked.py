"""The topic `dead-letters`: records that a consumer has parked, with their bytes and the reason."""

from events.base import Count, Fact, Name, Sha256, Text
from events.keys import Base64


class Header(Fact):
    """One header as it was received; the name in base64 too, since nothing promises that it is text."""

    name: Base64
    value: Base64 | None
    """None: a header without a value, which is not an empty one."""


class RecordParked(Fact):
    """A consumer set a record aside; it stays in its table until it is replayed."""

    consumer: Name
    topic: Name
    partition: Count
    offset: Count
    reason: Text
    attempts: Count
    key: Base64 | None = None
    headers: list[Header]
    value: Base64 | None = None
    size: Count | None = None
    """The value's bytes; the value itself is left out where it is too large to be copied."""
    sha256: Sha256 | None = None
    """Of the value, in hexadecimal, where it was left out: by this it is known again."""
