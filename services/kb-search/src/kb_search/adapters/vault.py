"""Customers' keys, as far as they are here: one may come later than its event, or be destroyed."""

from collections.abc import Iterable

from chassis.database import Connection
from chassis.keyring import Keyring
from kb_search.app.ports import Keys


class KeyVault:
    """See `ports.Vault`."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def keys(self, connection: Connection, key_ids: Iterable[str]) -> Keys:
        """See Vault."""
        # A key that was destroyed by way of another replica may still lie in this one's cache: the table is asked.
        return Keys(*await self._keyring.read(connection, key_ids))
