"""Lets go of what has served its time: idempotency keys, what was said long ago, gaps that nobody asks for any more."""

import asyncio
from typing import Final

import structlog

from chassis import idempotency
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import Unavailable

DAY_US: Final = 86_400_000_000
KEYS_KEPT_US: Final = 8 * DAY_US
"""The contract keeps idempotency keys for 7 days and more."""

SAID_KEPT_US: Final = 30 * DAY_US
"""Words said longer ago do not count in a look-up any more."""

GAPS_KEPT_US: Final = 365 * DAY_US

_EVERY_S: Final = 600.0
_AT_ONCE: Final = 5_000
_SAID: Final = """
delete from said where (request_id, n) in (select request_id, n from said where said_us < $1 limit $2)
"""
_GAPS: Final = "delete from gaps where (source, asked) in (select source, asked from gaps where last_us < $1 limit $2)"
_log = structlog.get_logger(__name__)


async def forget(db: Database, clock: Clock) -> None:
    """Every ten minutes, in short transactions; runs until it is cancelled."""
    while True:
        try:
            while await _some(db, clock.now_us()) >= _AT_ONCE:
                pass
        except Unavailable as error:
            _log.warning("nothing_forgotten", reason=error.detail)
        await asyncio.sleep(_EVERY_S)


async def _some(db: Database, now_us: int) -> int:
    """The greatest number of rows that one of the tables lost."""
    async with db.transaction() as tx:
        keys = await idempotency.forget(tx, before_us=now_us - KEYS_KEPT_US, most=_AT_ONCE)
        said = int((await tx.execute(_SAID, now_us - SAID_KEPT_US, _AT_ONCE)).split()[-1])
        gaps = int((await tx.execute(_GAPS, now_us - GAPS_KEPT_US, _AT_ONCE)).split()[-1])
    return max(keys, said, gaps)
