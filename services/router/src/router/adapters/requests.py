"""Orders on requests, and looks at one, in SQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

import orjson

from chassis.clock import Clock
from chassis.commands import Use
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.keyring import Keyring
from router.adapters.order_queue import OrderQueue
from router.adapters.ordering import KeyAway, Order, Settling
from router.adapters.rows import COLUMNS, request_of
from router.app.moved import Applied
from router.app.ports import Settle, Shown

_KEY: Final = "select key_id from requests where request_id = $1"
_SHOWN: Final = f"""
select {COLUMNS},
       (select payload from events e where e.stream = r.request_id and e.version = r.routed_version) as routed
from requests r where request_id = $1
"""

_PATIENCE_S: Final = 2.0
_LOOK_AGAIN_S: Final = 0.05


class SqlRequests:
    """`ports.RequestStore` in SQL."""

    def __init__(self, db: Database, keyring: Keyring, clock: Clock, told: Callable[[Applied], None]) -> None:
        """`told` hears of each commit."""
        self._db = db
        self._keyring = keyring
        self._queue = OrderQueue(db, Settling(keyring, clock), told)

    async def settled(self, request_id: str, use: Use | None, settle: Settle, *, words: bool) -> bytes:
        """See `ports.RequestStore`. What follows the commit is done even where the caller has left."""
        order = Order(request_id, use, settle, words)
        while True:
            try:
                return await self._queue.settled(order)
            except KeyAway:
                await self._key_of(request_id)

    async def shown(self, request_id: str) -> Shown | None:
        """See `ports.RequestStore`."""
        async with self._db.connection() as connection:
            row = await connection.fetchrow(_SHOWN, request_id)
        if row is None:
            return None
        routed = None if row["routed"] is None else orjson.loads(row["routed"])
        return Shown(request_of(row), None if routed is None else routed.get("decision"))

    async def _key_of(self, request_id: str) -> None:
        """Waits until the customer's key has come, holding neither the request nor a connection meanwhile."""
        until = monotonic() + _PATIENCE_S
        while True:
            try:
                async with self._db.connection() as connection:
                    key_id = await connection.fetchval(_KEY, request_id)
                    await self._keyring.sealer(connection, key_id, patience_s=0)
                return
            except Unavailable:
                if monotonic() >= until:
                    raise
            await asyncio.sleep(_LOOK_AGAIN_S)
