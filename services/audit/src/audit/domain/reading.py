"""From a record's bytes to what it says; what cannot be read is said to be so, and why, never refused."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from audit.domain.headers import RawHeaders
from events.codec import Unreadable, decode, read_headers
from events.envelope import Envelope
from events.lifecycle import ORDER, Entry

CONTACTS: Final = "contacts"
TOPICS: Final = (CONTACTS, "agents", "policies", "knowledge")
"""What audit keeps. The records of the first are requests' events."""

NO_REQUEST: Final = ""
"""The request id of a record that is no event of a request: ids have at least one character."""

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_EVENT_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MOST_TYPE: Final = 200
_MOST_LEVELS: Final = 100
_INT64: Final = 2**63
_FOLDED: Final = (
    "agent_id",
    "queue",
    "tier",
    "to",
    "reason",
    "customer",
    "customer_id",
    "channel",
    "support_level",
    "severity",
    "occurred_at",
)
"""The members of data that the lifecycle looks at."""

_KNOWN_TYPES: Final = frozenset(ORDER)


class Statement(NamedTuple):
    """What a readable record says; `data` as on the wire in the newest version, sealed member included."""

    envelope: Envelope
    data: Mapping[str, Any]


def read(headers: RawHeaders, value: bytes | None) -> Statement:
    """Reads a record. Raises Unreadable, saying what is wrong."""
    envelope = read_headers(headers)
    return Statement(envelope, decode(envelope.type, envelope.version, value or b""))


def check(topic: str, statement: Statement, value: bytes) -> None:
    """What a statement must be for its parts to be stored and told again. Raises Unreadable.

    Our own services never write such records; a stranger's must not bring anything to a halt.
    """
    (event_id, type_, _, _, subject, _, _, _, _, _, _, _, _), data = statement
    if not _EVENT_ID.fullmatch(event_id):
        raise Unreadable("its id is no UUID in lower case")
    if topic == CONTACTS and not _REQUEST_ID.fullmatch(subject):
        raise Unreadable("its subject is no request id")
    if len(type_) > _MOST_TYPE:
        raise Unreadable("its type is no name")
    # Counting brackets, also those in texts, is far cheaper than walking through each value, and most are short.
    brackets = value.count(b"{") + value.count(b"[") if len(value) > _MOST_LEVELS else 0
    if brackets > _MOST_LEVELS and any(level > _MOST_LEVELS for level, _ in _walk(data)):
        raise Unreadable(f"its data are nested deeper than {_MOST_LEVELS} levels")
    if b"\\u0000" in value and any("\0" in text for _, text in _walk(data) if isinstance(text, str)):
        raise Unreadable("a text in its data holds NUL")
    if ("tier" in data or "severity" in data) and not (_fits(data.get("tier")) and _fits(data.get("severity"))):
        raise Unreadable("a number in its data does not fit 64 bits")


def entry_of(envelope: Envelope, data: Mapping[str, Any], position: str | None = None) -> Entry:
    """The event as the lifecycle takes it."""
    event_id, type_, _, source, _, occurred_us, _, sequence, causation_id, _, _, _, _ = envelope
    return Entry(event_id, type_, source, sequence, causation_id, occurred_us, data, position)


class Said(NamedTuple):
    """What is kept beside the bytes of a readable record, and its value: enough to make the event again."""

    event_id: str
    type: str
    version: int
    source: str
    sequence: int | None
    causation_id: str | None
    occurred_us: int
    value: bytes

    def data(self) -> Mapping[str, Any]:
        """As on the wire in the newest version, sealed member included."""
        return decode(self.type, self.version, self.value)

    def entry(self, data: Mapping[str, Any], position: str | None = None) -> Entry:
        """The event as the lifecycle takes it."""
        return Entry(
            self.event_id, self.type, self.source, self.sequence, self.causation_id, self.occurred_us, data, position
        )


def folded(type_: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the lifecycle needs of the data and no more, so that many histories fit into memory."""
    if type_ not in _KNOWN_TYPES:
        return {}
    return {member: data[member] for member in _FOLDED if member in data}


def _fits(number: Any) -> bool:
    return not isinstance(number, int) or -_INT64 <= number < _INT64


def _walk(value: Any) -> Iterator[tuple[int, Any]]:
    """Every value in a JSON value with its level, the whole being at level 1; without recursion."""
    todo = [(1, value)]
    while todo:
        level, here = todo.pop()
        yield level, here
        if isinstance(here, Mapping):
            todo += [(level + 1, member) for member in here.values()]
        elif isinstance(here, list):
            todo += [(level + 1, member) for member in here]
