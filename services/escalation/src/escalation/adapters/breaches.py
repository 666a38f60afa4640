"""Broken promises, as they are listed."""

from __future__ import annotations

from typing import Any, Final

import asyncpg
import orjson

from chassis.database import Database
from escalation.app.ports import Breach

_LIST: Final = """
select request_id, promise, cycle, event_id::text, due_us, detected_us, corrected_us, fact from breaches
where ($1::bigint is null or due_us >= $1) and ($2::bigint is null or due_us < $2)
  and ($3 or corrected_us is null)
  and ($4::bigint is null or (due_us, request_id, promise, cycle) < ($4, $5, $6, $7))
order by due_us desc, request_id desc, promise desc, cycle desc
limit $8
"""


async def broken(
    db: Database, *, from_us: int | None, to_us: int | None, corrected: bool, after: list[Any] | None, most: int
) -> list[Breach]:
    """Up to `most` breaches with a due moment in `[from_us, to_us)`, the latest first, behind the place `after`."""
    place = after or [None, None, None, None]
    async with db.connection() as connection:
        rows = await connection.fetch(_LIST, from_us, to_us, corrected, *place, most)
    return [_breach(row) for row in rows]


def _breach(row: asyncpg.Record) -> Breach:
    columns = dict(row)
    return Breach(**{**columns, "fact": orjson.loads(columns["fact"])})
