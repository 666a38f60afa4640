"""Records as they lie in the log: key, headers and value in raw bytes, in their order."""

from typing import NamedTuple


class Record(NamedTuple):
    """One record. Header keys are bytes, since nothing promises that they are UTF-8; order and repeats are kept.

    `topic` is the logical name (without the deployment's prefix); `timestamp_us` is the broker's append time (whole ms).
    """

    topic: str
    partition: int
    offset: int
    timestamp_us: int
    key: bytes | None
    headers: list[tuple[bytes, bytes | None]]
    value: bytes | None
