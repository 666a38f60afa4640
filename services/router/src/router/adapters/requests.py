"""Orders on requests in transactions of their own, and looks at one, in SQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Final

import asyncpg
import orjson

from chassis.clock import Clock
from chassis.commands import Use
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.keyed import committed, once
from chassis.keyring import Keyring
from chassis.store import lock_streams
from chassis.trace import current_traceparent
from events.codec import Sealer
from router.adapters.moving import apply, load
from router.adapters.rows import COLUMNS, request_of
from router.app.moved import Applied
from router.app.ports import Settle, Shown
from router.domain.moves import Move
from router.domain.request import Request

_KEY: Final = "select key_id from requests where request_id = $1"
_AGENT: Final = "select exists (select 1 from agents where agent_id = $1)"
_SHOWN: Final = f"""
select {COLUMNS},
       (select payload from events e where e.stream = r.request_id and e.version = r.routed_version) as routed
from requests r where request_id = $1
"""


_PATIENCE_S: Final = 2.0
_LOOK_AGAIN_S: Final = 0.05

Sealers = Mapping[str, Sealer | None]


class _ArrivedMeanwhile(Exception):
    """The request was not known when its customer's key was asked for, and is now."""


class SqlRequestUnit:
    """`ports.RequestUnit` in SQL."""

    def __init__(self, tx: asyncpg.Connection, request_id: str, sealers: Sealers | None) -> None:
        """Without `sealers` nothing is said in anybody's own words."""
        self._tx = tx
        self._request_id = request_id
        self._sealers = sealers
        self.applied: Applied | None = None

    async def request(self) -> Request | None:
        """See `ports.RequestUnit`."""
        await lock_streams(self._tx, [self._request_id])
        request = (await load(self._tx, [self._request_id])).get(self._request_id)
        if request is not None and self._sealers is not None and request.key_id not in self._sealers:
            raise _ArrivedMeanwhile
        return request

    async def knows_agent(self, agent_id: str) -> bool:
        """See `ports.RequestUnit`."""
        return bool(await self._tx.fetchval(_AGENT, agent_id))

    async def apply(self, move: Move) -> Request:
        """See `ports.RequestUnit`."""
        self.applied = await apply(self._tx, [move], sealers=self._sealers or {}, traceparent=current_traceparent())
        return self.applied.done[self._request_id]


class SqlRequests:
    """`ports.RequestStore` in SQL."""

    def __init__(self, db: Database, keyring: Keyring, clock: Clock, told: Callable[[Applied], None]) -> None:
        """`told` hears of each commit."""
        self._db = db
        self._keyring = keyring
        self._clock = clock
        self._told = told

    async def settled(self, request_id: str, use: Use | None, settle: Settle, *, words: bool) -> bytes:
        """See `ports.RequestStore`. What follows the commit is done even where the caller has left."""
        return await self._db.finished(self._settled(request_id, use, settle, words=words))

    async def shown(self, request_id: str) -> Shown | None:
        """See `ports.RequestStore`."""
        async with self._db.connection() as connection:
            row = await connection.fetchrow(_SHOWN, request_id)
        if row is None:
            return None
        routed = None if row["routed"] is None else orjson.loads(row["routed"])
        return Shown(request_of(row), None if routed is None else routed.get("decision"))

    async def _settled(self, request_id: str, use: Use | None, settle: Settle, *, words: bool) -> bytes:
        while True:
            sealers = await self._sealers(request_id) if words else None
            try:
                return await self._once(request_id, use, settle, sealers)
            except _ArrivedMeanwhile:
                continue

    async def _once(self, request_id: str, use: Use | None, settle: Settle, sealers: Sealers | None) -> bytes:
        async def work(tx: asyncpg.Connection) -> tuple[bytes, Applied | None]:
            unit = SqlRequestUnit(tx, request_id, sealers)
            answer = await once(tx, use, lambda: settle(unit), now_us=self._clock.now_us())
            return answer, unit.applied

        answer, applied = await committed(self._db, work)
        if applied is not None:
            self._told(applied)
        return answer

    async def _sealers(self, request_id: str) -> Sealers:
        """Before the transaction: a key that is on its way is waited for, without holding a connection meanwhile."""
        until = monotonic() + _PATIENCE_S
        while True:
            try:
                return await self._sealers_at_hand(request_id)
            except Unavailable:
                if monotonic() >= until:
                    raise
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _sealers_at_hand(self, request_id: str) -> Sealers:
        async with self._db.connection() as connection:
            key_id = await connection.fetchval(_KEY, request_id)
            return {} if key_id is None else {key_id: await self._keyring.sealer(connection, key_id, patience_s=0)}
