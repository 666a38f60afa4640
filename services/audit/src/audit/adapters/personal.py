"""What a reader may see of an event's data: the personal part is opened for those whose token allows it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from chassis.database import Connection
from chassis.keyring import Keyring
from events.codec import SEALED, Opener, Unreadable, unseal, without_personal
from events.lifecycle import Entry

PERSONAL_READ: Final = "personal:read"
KEYS_LATE_S: Final = 2.0


class Sight(Protocol):
    """How much of an event's data one reader sees."""

    def data_of(self, entry: Entry) -> Mapping[str, Any]:
        """The data as this reader may have them; the event's own are left as they are."""
        ...


class Public:
    """Everything but what says something of a person."""

    def data_of(self, entry: Entry) -> Mapping[str, Any]:
        """See Sight."""
        return without_personal(entry.data) if SEALED in entry.data else entry.data


class Opened:
    """Everything; what was sealed with a key that is destroyed, or has not come yet, stays closed."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def data_of(self, entry: Entry) -> Mapping[str, Any]:
        """See Sight."""
        if SEALED not in entry.data:
            return entry.data
        try:
            return unseal(entry.type, entry.data, entry.event_id, self._opener)
        except Unreadable:
            # A box that holds something else than data tells nothing; the event itself could be read.
            return without_personal(entry.data)


async def sight_of(keyring: Keyring, connection: Connection, entries: Iterable[Entry], *, personal: bool) -> Sight:
    """What a reader sees of these events; `personal` says whether his token has the scope for it."""
    key_ids = {key_id for entry in entries if (key_id := _key_id(entry)) is not None} if personal else set()
    if not key_ids:
        return Public()
    return Opened(await keyring.opener(connection, key_ids, patience_s=KEYS_LATE_S))


def _key_id(entry: Entry) -> str | None:
    sealed = entry.data.get(SEALED)
    key_id = sealed.get("key_id") if isinstance(sealed, Mapping) else None
    return key_id if isinstance(key_id, str) else None
