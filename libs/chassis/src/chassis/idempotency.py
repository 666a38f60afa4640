"""Idempotency keys: who comes first with a key does the work, the others get his answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from chassis.errors import Transient

_CLAIM: Final = """
insert into idempotency_keys (scope, key, hash, answer, made_us)
select scope, key, hash, answer, $5
from unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[]) i(scope, key, hash, answer)
order by scope, key
on conflict (scope, key) do nothing
returning scope, key
"""
_FIRST: Final = """
select k.scope, k.key, k.hash, k.answer
from unnest($1::text[], $2::text[]) i(scope, key) join idempotency_keys k using (scope, key)
"""
_FORGET: Final = """
delete from idempotency_keys where (scope, key) in
(select scope, key from idempotency_keys where made_us < $1 order by scope, key limit $2 for update skip locked)
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """One key in its scope (service, method and path), the hash of the body, and the answer if it wins."""

    scope: str
    key: str
    hash: bytes
    answer: bytes


@dataclass(frozen=True, slots=True)
class First:
    """What the first one with a key brought and was answered."""

    hash: bytes
    answer: bytes


@dataclass(frozen=True, slots=True)
class Claimed:
    """The (scope, key) that were won now, and for each of the others what the first one got."""

    won: frozenset[tuple[str, str]]
    first: Mapping[tuple[str, str], First]


async def claim(tx: asyncpg.Connection, claims: Sequence[Claim], *, now_us: int) -> Claimed:
    """Claims many keys at once, after `store.lock_streams` and before anything else is written.

    One (scope, key) may stand in `claims` once only: ValueError otherwise (two rows would both win). Waits for other
    transactions that hold one of the keys. Raises `Transient` where a key's first claim vanished meanwhile.
    """
    wanted = {(item.scope, item.key) for item in claims}
    if len(wanted) < len(claims):
        raise ValueError("a key stands twice in one batch: take repeats out before")
    if not claims:
        return Claimed(frozenset(), {})
    rows = await tx.fetch(_CLAIM, *_columns(claims), now_us)
    won = frozenset((row["scope"], row["key"]) for row in rows)
    return Claimed(won, await _first(tx, wanted - won) if len(won) < len(wanted) else {})


def part(first: int) -> str:
    """The claim as a part of a WITH clause, its five `arguments` numbered from `first` on.

    Where `claimed` has fewer rows than there are claims, the transaction must be run again.
    """
    scopes, keys, hashes, answers, made_us = (f"${first + n}" for n in range(5))
    return f"""
claimed as (
    insert into idempotency_keys (scope, key, hash, answer, made_us)
    select scope, key, hash, answer, {made_us}
    from unnest({scopes}::text[], {keys}::text[], {hashes}::bytea[], {answers}::bytea[]) i(scope, key, hash, answer)
    order by scope, key
    on conflict (scope, key) do nothing
    returning 1
)
"""


def arguments(claims: Sequence[Claim], *, now_us: int) -> list[Any]:
    """The five arguments of `part`."""
    return [*_columns(claims), now_us]


async def recall(connection: asyncpg.Connection, scope: str, key: str) -> First | None:
    """What the first one with this key got, if there was one."""
    row = await connection.fetchrow(
        "select hash, answer from idempotency_keys where scope = $1 and key = $2", scope, key
    )
    return None if row is None else First(row["hash"], row["answer"])


async def forget(connection: asyncpg.Connection, *, before_us: int, most: int = 5_000) -> int:
    """Deletes up to `most` of the keys made before `before_us`; the count deleted. Keys are kept 7 days and more."""
    return int((await connection.execute(_FORGET, before_us, most)).split()[-1])


async def _first(tx: asyncpg.Connection, keys: set[tuple[str, str]]) -> dict[tuple[str, str], First]:
    """A statement of its own: the claiming one waited for the winner, but its snapshot is older than his commit."""
    scopes, names = zip(*keys, strict=True)
    rows = await tx.fetch(_FIRST, list(scopes), list(names))
    if len(rows) < len(keys):
        raise Transient("a key was deleted while it was claimed")
    return {(row["scope"], row["key"]): First(row["hash"], row["answer"]) for row in rows}


def _columns(claims: Sequence[Claim]) -> tuple[list[str], list[str], list[bytes], list[bytes]]:
    return (
        [item.scope for item in claims],
        [item.key for item in claims],
        [item.hash for item in claims],
        [item.answer for item in claims],
    )
