"""A record of the log as users read it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from audit.domain.place import Place
from audit.domain.reading import NO_REQUEST
from events.lifecycle import Entry
from events.times import to_text


class Kept(NamedTuple):
    """What is noted beside a kept record; `unreadable` says why it could not be read."""

    place: Place
    request_id: str
    duplicate: bool
    unreadable: str | None


def told(kept: Kept, entry: Entry | None, data: Mapping[str, Any] | None) -> dict[str, Any]:
    """One item of `/v1/events`; `data` is what this reader may see of the event's."""
    if entry is None:
        return _NOTHING | {"position": kept.place.position, "duplicate": kept.duplicate, "unreadable": kept.unreadable}
    return {
        "position": kept.place.position,
        "event_id": entry.event_id,
        "request_id": None if kept.request_id == NO_REQUEST else kept.request_id,
        "type": entry.type,
        "occurred_at": to_text(entry.occurred_us),
        "raw_occurred_at": None,
        "source": entry.source,
        "sequence": entry.sequence,
        "causation_id": entry.causation_id,
        "data": data,
        "duplicate": kept.duplicate,
        "unreadable": None,
    }


MEMBERS = (
    "position",
    "event_id",
    "request_id",
    "type",
    "occurred_at",
    "raw_occurred_at",
    "source",
    "sequence",
    "causation_id",
    "data",
    "duplicate",
    "unreadable",
)
_NOTHING = dict.fromkeys(MEMBERS)
