"""Once per idempotency key, for commands that run in a transaction of their own."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final, TypeVar

import asyncpg

from chassis import idempotency, reservation
from chassis.commands import Use
from chassis.database import Connection, Database, Work
from chassis.errors import InFlight, KeyReused, StaleTransaction, Unavailable
from chassis.idempotency import Claim, First

T = TypeVar("T")

_WITHIN_S: Final = 4.5
_LONGEST_REST_S: Final = 0.05


async def once(tx: Connection, use: Use | None, work: Callable[[], Awaitable[bytes]], *, now_us: int) -> bytes:
    """The answer of `work`, which is stored under the key in the same transaction; or the first answer, for a repeat.

    Must be the transaction's first statement; `work` begins with `store.lock_streams`. What `work` raises rolls all
    back, so that a refusal is not remembered. Raises `InFlight` where another transaction works on the key, `KeyReused`
    where it stands for other members, `StaleTransaction` where another replica won at the last moment: run it by
    `committed`. Without a key only `work` is run.
    """
    if use is None:
        return await work()
    mark = (use.scope, use.key)
    reserved = await reservation.reserve(tx, [mark])
    if (first := reserved.first.get(mark)) is not None:
        return _again(use, first)
    if reserved.busy:
        raise InFlight("A request with this key is being worked on: send it again in a moment.")
    answer = await work()
    claimed = await idempotency.claim(tx, [Claim(use.scope, use.key, use.hash, answer)], now_us=now_us)
    if claimed.first:
        raise StaleTransaction("a key was used by another replica at this moment")
    return answer


async def committed(db: Database, work: Work[T], *, most: int = 5) -> T:
    """`work` in a transaction that is run again, `most` times in all, where others' transactions undid it.

    That is a `StaleTransaction`, a failed serialisation or a deadlock. Raises `Unavailable` where each attempt failed,
    or within 5 s; otherwise as `Database.run`, which finishes it where the caller is cancelled.
    """
    until = monotonic() + _WITHIN_S
    for _ in range(most - 1):
        try:
            return await db.run(work, within_s=until - monotonic())
        except (StaleTransaction, Unavailable) as error:
            if not _lost_to_others(error) or monotonic() + _LONGEST_REST_S > until:
                raise _for_caller(error) from error
        await asyncio.sleep(random.uniform(0, _LONGEST_REST_S))
    try:
        return await db.run(work, within_s=until - monotonic())
    except StaleTransaction as error:
        raise _for_caller(error) from error


def _again(use: Use, first: First) -> bytes:
    if first.hash != use.hash:
        raise KeyReused("This Idempotency-Key stands for another body: send this one under a key of its own.")
    return first.answer


def _lost_to_others(error: StaleTransaction | Unavailable) -> bool:
    """Whether another attempt may succeed at once. The way to the database translates what PostgreSQL raises."""
    undone = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
    return isinstance(error, StaleTransaction) or isinstance(error.__cause__, undone)


def _for_caller(error: StaleTransaction | Unavailable) -> Unavailable:
    if isinstance(error, Unavailable):
        return error
    return Unavailable("It could not be written at this moment: retry with the same key.")
