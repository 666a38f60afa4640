"""What a reader may see of an event's data: the personal part is opened for those whose token allows it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from audit.domain.reading import Statement
from chassis.database import Connection
from chassis.keyring import Keyring
from events.codec import SEALED, Opener, Unreadable, unseal, without_personal

PERSONAL_READ: Final = "personal:read"


class Sight(Protocol):
    """How much of an event's data one reader sees."""

    def data_of(self, statement: Statement) -> Mapping[str, Any]:
        """The data as this reader may have them; the statement's own are left as they are."""
        ...


class Public:
    """Everything but what says something of a person."""

    def data_of(self, statement: Statement) -> Mapping[str, Any]:
        """See Sight."""
        return without_personal(statement.data) if SEALED in statement.data else statement.data


class Opened:
    """Everything; what was sealed with a key that is destroyed, or has not come yet, stays closed."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def data_of(self, statement: Statement) -> Mapping[str, Any]:
        """See Sight."""
        if SEALED not in statement.data:
            return statement.data
        envelope = statement.envelope
        try:
            return unseal(envelope.type, statement.data, envelope.event_id, self._opener)
        except Unreadable:
            # A box that holds something else than data tells nothing; the event itself could be read.
            return without_personal(statement.data)


async def sight_of(
    keyring: Keyring, connection: Connection, statements: Iterable[Statement], *, personal: bool
) -> Sight:
    """What a reader sees of these statements; `personal` says whether his token has the scope for it."""
    key_ids = {key_id for statement in statements if (key_id := _key_id(statement)) is not None} if personal else set()
    if not key_ids:
        return Public()
    return Opened(await keyring.opener(connection, key_ids))


def _key_id(statement: Statement) -> str | None:
    sealed = statement.data.get(SEALED)
    key_id = sealed.get("key_id") if isinstance(sealed, Mapping) else None
    return key_id if isinstance(key_id, str) else None
