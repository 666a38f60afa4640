"""What kb-search lets go of beside idempotency keys: what was said long ago, gaps that nobody asks for any more."""

from typing import Final

from chassis.database import Connection
from chassis.forgetting import AT_ONCE

DAY_US: Final = 86_400_000_000
SAID_KEPT_US: Final = 30 * DAY_US
"""Words said longer ago do not count in a look-up any more."""

GAPS_KEPT_US: Final = 365 * DAY_US

_SAID: Final = """
delete from said where (request_id, n) in (select request_id, n from said where said_us < $1 limit $2)
"""
_GAPS: Final = "delete from gaps where (source, asked) in (select source, asked from gaps where last_us < $1 limit $2)"


async def said(tx: Connection, now_us: int) -> int:
    """See `chassis.forgetting.Bite`."""
    return int((await tx.execute(_SAID, now_us - SAID_KEPT_US, AT_ONCE)).split()[-1])


async def gaps(tx: Connection, now_us: int) -> int:
    """See `chassis.forgetting.Bite`."""
    return int((await tx.execute(_GAPS, now_us - GAPS_KEPT_US, AT_ONCE)).split()[-1])
