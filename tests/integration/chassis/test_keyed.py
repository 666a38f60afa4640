"""A command with an idempotency key has one effect and one answer, in whatever order and however often it comes."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import asyncpg
import pytest

from chassis import store
from chassis.commands import Use
from chassis.database import Connection, Database
from chassis.errors import Conflict, InFlight, KeyReused, StaleTransaction, Unavailable
from chassis.keyed import committed, once
from tests.integration.chassis.events import an_event

USE = Use("POST /v1/requests/r/decline", "k-1", b"hash of the body")
OTHER_BODY = Use(USE.scope, USE.key, b"hash of another")
Work = Callable[[Connection], Awaitable[bytes]]


class Command:
    """Appends an event to one stream and answers with how many it has done; `hold` stops it in the middle."""

    def __init__(self, stream: str = "r") -> None:
        self.stream = stream
        self.done = 0
        self.begun = asyncio.Event()
        self.hold: asyncio.Event | None = None
        self.refusal: Exception | None = None

    def under(self, use: Use | None) -> Work:
        return lambda tx: once(tx, use, partial(self._work, tx), now_us=1)

    async def _work(self, tx: Connection) -> bytes:
        await store.lock_streams(tx, [self.stream])
        await store.append(tx, [store.Append(self.stream, None, (an_event(self.stream),))])
        self.begun.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.refusal is not None:
            raise self.refusal
        self.done += 1
        return b"answer %d" % self.done


async def stated(db: Database) -> int:
    async with db.connection() as connection:
        count: int = await connection.fetchval("select count(*) from events")
    return count


async def test_a_repeat_gets_the_first_answer_and_has_no_effect(db: Database) -> None:
    command = Command()
    assert await committed(db, command.under(USE)) == b"answer 1"
    assert await committed(db, command.under(USE)) == b"answer 1"
    assert (command.done, await stated(db)) == (1, 1)


async def test_without_a_key_each_is_carried_out(db: Database) -> None:
    command = Command()
    assert [await committed(db, command.under(None)) for _ in range(2)] == [b"answer 1", b"answer 2"]


async def test_the_key_with_another_body_is_refused(db: Database) -> None:
    command = Command()
    await committed(db, command.under(USE))
    with pytest.raises(KeyReused):
        await committed(db, command.under(OTHER_BODY))
    assert await stated(db) == 1


async def test_a_key_counts_in_its_scope(db: Database) -> None:
    command = Command()
    await committed(db, command.under(USE))
    elsewhere = Use("POST /v1/requests/r/accept", USE.key, USE.hash)
    assert await committed(db, command.under(elsewhere)) == b"answer 2"


async def test_a_refusal_leaves_nothing_and_is_not_remembered(db: Database) -> None:
    command = Command()
    command.refusal = Conflict("It is not his.", state="waiting", holder=None)
    with pytest.raises(Conflict):
        await committed(db, command.under(USE))
    assert await stated(db) == 0
    command.refusal = None
    assert await committed(db, command.under(OTHER_BODY)) == b"answer 1"


async def test_while_the_first_is_at_work_the_second_is_told_so_at_once(db: Database) -> None:
    command = Command()
    command.hold = asyncio.Event()
    first = asyncio.create_task(committed(db, command.under(USE)))
    await command.begun.wait()
    with pytest.raises(InFlight):
        await asyncio.wait_for(committed(db, command.under(USE)), 1)
    command.hold.set()
    assert await first == b"answer 1"


async def test_who_loses_at_the_last_moment_gets_the_winners_answer(db: Database) -> None:
    """The winner's answer may be committed between the loser's look at the table and his lock on the key."""
    command, attempts = Command(), 0

    async def late(tx: Connection) -> bytes:
        nonlocal attempts
        attempts += 1
        if attempts > 1:
            return await once(tx, USE, partial(command._work, tx), now_us=1)

        async def overtaken() -> bytes:
            other = "insert into idempotency_keys (scope, key, hash, answer, made_us) values ($1, $2, $3, $4, 1)"
            async with db.transaction() as winner:
                await winner.execute(other, USE.scope, USE.key, USE.hash, b"the winner's")
            return await command._work(tx)

        return await once(tx, USE, overtaken, now_us=1)

    assert await committed(db, late) == b"the winner's"
    assert (attempts, await stated(db)) == (2, 0)


async def test_of_many_at_once_under_one_key_one_is_carried_out(db: Database) -> None:
    command = Command()
    answers = await asyncio.gather(*(committed(db, command.under(USE)) for _ in range(8)), return_exceptions=True)
    assert {answer for answer in answers if not isinstance(answer, InFlight)} == {b"answer 1"}
    assert await stated(db) == 1


async def test_a_deadlock_is_run_again_and_nobody_hears_of_it(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute("create table things (n int primary key)")
        await tx.execute("insert into things values (1), (2)")
    both = asyncio.Barrier(2)
    attempts = 0

    async def lock(first: int, second: int, tx: Connection) -> None:
        nonlocal attempts
        attempts += 1
        await tx.execute("select from things where n = $1 for update", first)
        if attempts <= 2:
            await both.wait()
        await tx.execute("select from things where n = $1 for update", second)

    await asyncio.gather(committed(db, partial(lock, 1, 2)), committed(db, partial(lock, 2, 1)))
    assert attempts == 3


async def test_what_is_lost_each_time_is_unavailable_and_tried_as_often_as_was_said(db: Database) -> None:
    attempts = 0

    async def hopeless(_tx: Connection) -> bytes:
        nonlocal attempts
        attempts += 1
        raise StaleTransaction("written by a younger one")

    with pytest.raises(Unavailable, match="same key"):
        await committed(db, hopeless, most=3)
    assert attempts == 3


async def test_other_failures_are_not_tried_again(db: Database) -> None:
    attempts = 0

    async def wrong(tx: Connection) -> bytes:
        nonlocal attempts
        attempts += 1
        await tx.execute("select 1 / 0")
        return b""

    with pytest.raises(asyncpg.DivisionByZeroError):
        await committed(db, wrong)
    assert attempts == 1
