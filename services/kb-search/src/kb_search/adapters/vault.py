"""Customers' keys, as far as they are here: one may come later than its event, or be destroyed."""

from collections.abc import Iterable, Mapping
from typing import Final

from chassis.database import Connection
from chassis.keyring import Keyring
from kb_search.app.ports import Keys

_KEYS: Final = "select key_id, wrapped is null as destroyed from customer_keys where key_id = any($1::text[])"


class KeyVault:
    """See `ports.Vault`."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def keys(self, connection: Connection, key_ids: Iterable[str]) -> Keys:
        """See Vault."""
        wanted = set(key_ids)
        known: Mapping[str, bool] = {
            row["key_id"]: row["destroyed"] for row in await connection.fetch(_KEYS, list(wanted))
        }
        # A key that was destroyed by way of another replica may still lie in this one's cache: it is not asked for.
        living = [key_id for key_id, destroyed in known.items() if not destroyed]
        return Keys(await self._keyring.opener(connection, living), frozenset(wanted - known.keys()))
