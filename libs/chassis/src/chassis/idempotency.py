"""Idempotency keys: who comes first with a key does the work, the others get his answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg


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
    raise NotImplementedError


async def recall(connection: asyncpg.Connection, scope: str, key: str) -> First | None:
    """What the first one with this key got, if there was one."""
    raise NotImplementedError


async def forget(connection: asyncpg.Connection, *, before_us: int, most: int = 5_000) -> int:
    """Deletes up to `most` of the keys made before `before_us`; the count deleted. Keys are kept 7 days and more."""
    raise NotImplementedError
