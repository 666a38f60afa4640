"""Seals under customers' own keys, which intake makes and tells."""

from __future__ import annotations

from chassis.database import Database
from chassis.keyring import Keyring
from escalation.app.escalations import Seals
from escalation.app.ports import Seal
from events.key_ids import of_customer


def seals_of(db: Database, keyring: Keyring) -> Seals:
    """The way to a customer's seal."""

    async def seal(customer_id: str) -> Seal:
        key_id = of_customer(customer_id)
        async with db.connection() as connection:
            return Seal(key_id, await keyring.sealer(connection, key_id))

    return seal
