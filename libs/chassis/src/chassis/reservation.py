"""Idempotency keys across replicas: who works on a key holds it, and the others are told so instead of waiting."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import asyncpg

from chassis.idempotency import First

# Another seed than the streams' locks: the two kinds of names must not meet by their text.
KEY_LOCK: Final = "hashtextextended(scope || ' ' || key, 1)"
"""The number of a key's advisory lock."""
_RESERVE: Final = f"""
select scope, key, k.hash, k.answer, pg_try_advisory_xact_lock({KEY_LOCK}) as free
from unnest($1::text[], $2::text[]) i(scope, key) left join idempotency_keys k using (scope, key)
"""


@dataclass(frozen=True, slots=True)
class Reserved:
    """What stands under (scope, key) pairs: the first answers of those used before, and those being worked on."""

    first: Mapping[tuple[str, str], First]
    busy: frozenset[tuple[str, str]]


async def reserve(tx: asyncpg.Connection, keys: Iterable[tuple[str, str]]) -> Reserved:
    """Holds each of these keys until the transaction ends, unless another transaction holds it: never waits.

    Needs no xid, so it may come before `store.lock_streams`. A first answer that was committed while this statement ran
    is not seen: `idempotency.claim` then does not win, and the transaction must be run again.
    """
    wanted = list(keys)
    if not wanted:
        return Reserved({}, frozenset())
    rows = await tx.fetch(_RESERVE, [scope for scope, _ in wanted], [key for _, key in wanted])
    first = {(row["scope"], row["key"]): First(row["hash"], row["answer"]) for row in rows if row["hash"] is not None}
    busy = frozenset((row["scope"], row["key"]) for row in rows if not row["free"])
    return Reserved(first, busy - first.keys())
