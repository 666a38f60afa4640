"""A batch of records from the log joined to what is known: rows to keep, histories that grew, duplicates found."""

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from audit.domain.headers import RawHeaders, pack
from audit.domain.history import History, Known
from audit.domain.place import Place, known_since
from audit.domain.reading import CONTACTS, NO_REQUEST, check, entry_of, folded, read
from events.codec import Unreadable
from events.lifecycle import Entry

_new: Final = tuple.__new__


class Raw(Protocol):
    """A record as the log gave it. `timestamp_us` is the broker's append time, `content` None until it is read."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp_us(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def headers(self) -> RawHeaders: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def content(self) -> "Content | None": ...


class Content(NamedTuple):
    """What a record says, and its headers packed; without an `entry` it could not be read, `unreadable` tells why."""

    headers: bytes
    request_id: str = NO_REQUEST
    entry: Entry | None = None
    version: int | None = None
    unreadable: str | None = None


class Row(NamedTuple):
    """A record as it is kept, in the order of the table's columns."""

    known_us: int
    appended_us: int
    offset: int
    occurred_us: int | None
    sequence: int | None
    partition: int
    version: int | None
    duplicate: bool
    event_id: str | None
    topic: str
    request_id: str
    type: str | None
    source: str | None
    causation_id: str | None
    unreadable: str | None
    key: bytes | None
    headers: bytes
    value: bytes | None


@dataclass(slots=True)
class Arrival:
    """A record with its place and what it says."""

    place: Place
    raw: Raw
    headers: bytes
    request_id: str = NO_REQUEST
    entry: Entry | None = None
    version: int | None = None
    unreadable: str | None = None
    duplicate: bool = False

    def row(self) -> Row:
        """What is kept of it: all its bytes, and beside them what they say."""
        raw, said = self.raw, self.entry or _NOTHING_SAID
        # By place, and past the constructor of a class with names: these cost as much here as all the rest.
        return _new(
            Row,
            (
                self.place.known_us,
                raw.timestamp_us,
                raw.offset,
                said.occurred_us,
                said.sequence,
                raw.partition,
                self.version,
                self.duplicate,
                said.event_id,
                raw.topic,
                self.request_id,
                said.type,
                said.source,
                said.causation_id,
                self.unreadable,
                raw.key,
                self.headers,
                raw.value,
            ),
        )


class _Unsaid(NamedTuple):
    """Stands for the event of a record that could not be read."""

    occurred_us: None = None
    sequence: None = None
    event_id: None = None
    type: None = None
    source: None = None
    causation_id: None = None


_NOTHING_SAID: Final = _Unsaid()


KnownTimes = MutableMapping[tuple[str, int], int]
"""(topic, partition) → since when its last record is known, in µs."""


def arrive(records: Iterable[Raw], known: KnownTimes) -> list[Arrival]:
    """Reads records, each partition's in the order of its offsets, and moves `known` on."""
    arrived = []
    for raw in records:
        topic, number = partition = raw.topic, raw.partition
        known_us = known[partition] = known_since(known.get(partition, 0), raw.timestamp_us)
        content = raw.content or content_of(topic, raw.headers, raw.value)
        arrived.append(Arrival(_new(Place, (known_us, topic, number, raw.offset)), raw, *content))
    return arrived


def content_of(topic: str, headers: RawHeaders, value: bytes | None) -> Content:
    """Reads a record; a chassis consumer's `Reads`."""
    try:
        statement = read(headers, value)
        check(topic, statement, value or b"")
    except Unreadable as error:
        return Content(pack(headers), unreadable=str(error))
    envelope = statement.envelope
    request_id = envelope.subject if topic == CONTACTS else NO_REQUEST
    entry = entry_of(envelope, folded(envelope.type, statement.data))
    # Packed here, while what was just read is in the processor's caches.
    return _new(Content, (pack(headers), request_id, entry, envelope.version, None))


@dataclass(slots=True)
class Joined:
    """What a batch changes.

    `grown` are the histories that it touches, as copies, `changed` those of them that have another event or another
    first place now; `demoted` are records of earlier batches that are duplicates after all.
    """

    arrived: list[Arrival]
    grown: dict[str, History] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    demoted: list[Place] = field(default_factory=list)


def join(arrived: list[Arrival], histories: Mapping[str, History], seen: Mapping[str, Place]) -> Joined:
    """Marks duplicates, and lets the histories of the requests grow.

    `histories` are those of all requests in the batch that are known already; `seen` gives the first places of the
    events outside of requests.
    """
    joined = Joined(arrived)
    places: dict[str, Place] = dict(seen)
    twins: list[Place] = []
    for arrival in arrived:
        twin = _twin(arrival, joined.grown, histories, places)
        if twin is None:
            if arrival.request_id != NO_REQUEST:
                joined.changed.add(arrival.request_id)
        elif twin is arrival.place:
            arrival.duplicate = True
        else:
            twins.append(twin)
            if arrival.request_id != NO_REQUEST:
                joined.changed.add(arrival.request_id)
    joined.demoted = _demoted(arrived, twins) if twins else []
    return joined


def _demoted(arrived: list[Arrival], twins: list[Place]) -> list[Place]:
    """Those that stand in earlier batches; the others are marked."""
    here = {arrival.place: arrival for arrival in arrived}
    for twin in twins:
        if twin in here:
            here[twin].duplicate = True
    return [twin for twin in twins if twin not in here]


def _twin(
    arrival: Arrival, grown: dict[str, History], histories: Mapping[str, History], places: dict[str, Place]
) -> Place | None:
    """The place of the record, this or an earlier one, that is a duplicate because of this one."""
    if arrival.entry is None:
        return None
    if arrival.request_id == NO_REQUEST:
        return _second(places, arrival.entry.event_id, arrival.place)
    history = grown.get(arrival.request_id)
    if history is None:
        before = histories.get(arrival.request_id)
        history = grown[arrival.request_id] = History() if before is None else before.copy()
    return history.add(Known(arrival.place, arrival.entry))


def _second(places: dict[str, Place], event_id: str, place: Place) -> Place | None:
    before = places.setdefault(event_id, place)
    if before is place:
        return None
    places[event_id], second = min(before, place), max(before, place)
    return second
