"""Lets go of what has served its time: idempotency keys in every service with commands, and what a service adds."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from chassis import idempotency
from chassis.clock import Clock
from chassis.database import Connection, Database
from chassis.errors import Unavailable

KEPT_US: Final = 8 * 86_400_000_000
"""The contract keeps idempotency keys for 7 days and more."""

EVERY_S: Final = 600.0
AT_ONCE: Final = 5_000

Bite = Callable[[Connection, int], Awaitable[int]]
"""Deletes up to AT_ONCE rows that are too old at the given moment (µs since 1970), and tells how many."""

_log = structlog.get_logger(__name__)


async def forget_keys(db: Database, clock: Clock, *more: Bite) -> None:
    """Deletes keys of more than eight days and what `more` deletes, every ten minutes, in short transactions; runs
    until it is cancelled."""
    while True:
        try:
            while await _some(db, clock, (_keys, *more)) >= AT_ONCE:
                pass
        except Unavailable as error:
            _log.warning("keys_not_forgotten", reason=error.detail)
        await asyncio.sleep(EVERY_S)


async def _some(db: Database, clock: Clock, bites: tuple[Bite, ...]) -> int:
    """The most that one of them deleted."""
    now_us = clock.now_us()

    async def work(tx: Connection) -> int:
        return max([await bite(tx, now_us) for bite in bites])

    return await db.run(work)


async def _keys(tx: Connection, now_us: int) -> int:
    return await idempotency.forget(tx, before_us=now_us - KEPT_US, most=AT_ONCE)
