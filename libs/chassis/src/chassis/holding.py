"""Keys and streams of several commands, taken hold of in one round trip: of many never waiting."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from chassis.commands import Use
from chassis.idempotency import First
from chassis.reservation import KEY_LOCK
from chassis.store_sql import STREAM_LOCK

_HOLD: Final = f"""
with given as materialized (
    select t.*, k.hash, k.answer, scope is null or pg_try_advisory_xact_lock({KEY_LOCK}) as reserved
    from unnest($1::text[], $2::text[], $3::text[]) with ordinality t(stream, scope, key, n)
    left join idempotency_keys k using (scope, key)
)
select hash, answer, reserved, case when reserved and hash is null then %s else false end as held
from given order by n
"""
_TRY: Final = _HOLD % f"pg_try_advisory_xact_lock({STREAM_LOCK})"
_WAIT: Final = _HOLD % f"(select true from pg_advisory_xact_lock({STREAM_LOCK}))"


@dataclass(frozen=True, slots=True)
class Hold:
    """What became of a command's key and stream.

    `first` is what its key brought before; `busy` says that another transaction works on the key. Else the key is
    reserved, and `held` says whether the stream is held too.
    """

    first: First | None
    busy: bool
    held: bool


async def hold(tx: asyncpg.Connection, commands: Sequence[tuple[str, Use | None]], *, waiting: bool) -> list[Hold]:
    """Holds the streams and keys of these commands until the transaction ends; what is not free now is left out.

    Must be the transaction's first statement, for it needs no xid, and no stream or key may stand in it twice. With
    `waiting`, which is for a single command, its stream is waited for. A first answer that was committed while this
    statement ran is not seen: `idempotency.claim` then does not win, and the transaction must be run again.
    """
    if waiting and len(commands) > 1:
        raise ValueError("of several commands none may wait: two transactions could wait for one another in a circle")
    streams = [stream for stream, _ in commands]
    scopes = [None if use is None else use.scope for _, use in commands]
    keys = [None if use is None else use.key for _, use in commands]
    rows = await tx.fetch(_WAIT if waiting else _TRY, streams, scopes, keys)
    return [_of(row) for row in rows]


def _of(row: asyncpg.Record) -> Hold:
    first = None if row["hash"] is None else First(row["hash"], row["answer"])
    return Hold(first, first is None and not row["reserved"], row["held"])
