"""Lets go of idempotency keys that are older than the contract keeps them, in every service that takes commands."""

import asyncio
from typing import Final

import structlog

from chassis import idempotency
from chassis.clock import Clock
from chassis.database import Connection, Database
from chassis.errors import Unavailable

KEPT_US: Final = 8 * 86_400_000_000
EVERY_S: Final = 600.0
AT_ONCE: Final = 5_000

_log = structlog.get_logger(__name__)


async def forget_keys(db: Database, clock: Clock) -> None:
    """Deletes keys of more than eight days, every ten minutes, in short transactions; runs until it is cancelled."""
    while True:
        try:
            while await _some(db, clock) == AT_ONCE:
                pass
        except Unavailable as error:
            _log.warning("keys_not_forgotten", reason=error.detail)
        await asyncio.sleep(EVERY_S)


async def _some(db: Database, clock: Clock) -> int:
    before_us = clock.now_us() - KEPT_US

    async def work(tx: Connection) -> int:
        return await idempotency.forget(tx, before_us=before_us, most=AT_ONCE)

    return await db.run(work)
