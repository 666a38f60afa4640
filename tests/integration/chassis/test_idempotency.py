"""Keys claimed by one, answered to the others."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from chassis import idempotency
from chassis.database import Connection, Database
from chassis.idempotency import Claim, Claimed, First
from tests.support.until import until


def a_claim(key: str, *, answer: bytes = b"first", scope: str = "intake POST /v1/contacts") -> Claim:
    return Claim(scope, key, b"hash of " + answer, answer)


def claiming(*claims: Claim, now_us: int = 1) -> Callable[[Connection], Awaitable[Claimed]]:
    async def work(tx: Connection) -> Claimed:
        return await idempotency.claim(tx, claims, now_us=now_us)

    return work


def place(claim: Claim) -> tuple[str, str]:
    return claim.scope, claim.key


async def test_the_first_claim_wins_and_a_repeat_gets_its_answer(db: Database) -> None:
    first, repeat = a_claim("k"), a_claim("k", answer=b"second")
    assert (await db.run(claiming(first))).won == {place(first)}
    again = await db.run(claiming(repeat, a_claim("new")))
    assert again.won == {place(a_claim("new"))}
    assert again.first == {place(first): First(b"hash of first", b"first")}


async def test_a_key_counts_per_scope(db: Database) -> None:
    await db.run(claiming(a_claim("k")))
    assert (await db.run(claiming(a_claim("k", scope="another path")))).won == {("another path", "k")}


async def test_the_same_key_twice_in_one_batch_is_a_fault_of_the_program(db: Database) -> None:
    with pytest.raises(ValueError, match="twice"):
        await db.run(claiming(a_claim("k"), a_claim("k", answer=b"other")))


async def test_control_the_same_key_twice_joined_back_gives_two_winners(db: Database) -> None:
    async with db.transaction() as tx:
        winners = await tx.fetch(
            """
            with inp as materialized (select * from unnest($1::text[], $2::bytea[]) t(key, answer)),
            k as (insert into idempotency_keys (scope, key, hash, answer, made_us)
                  select 's', key, '', answer, 0 from inp order by key on conflict do nothing returning key)
            select inp.answer from inp join k using (key)
            """,
            ["k", "k"],
            [b"one", b"other"],
        )
    assert len(winners) == 2


async def test_of_many_at_once_one_wins_and_all_others_get_its_answer(db: Database) -> None:
    claims = [a_claim("k", answer=b"%d" % n) for n in range(24)]
    outcomes = await asyncio.gather(*(db.run(claiming(claim)) for claim in claims))
    (winner,) = [claim.answer for claim, done in zip(claims, outcomes, strict=True) if done.won]
    assert {found.answer for done in outcomes for found in done.first.values()} == {winner}
    assert sum(len(done.first) for done in outcomes) == 23


async def test_control_in_the_claiming_statement_the_first_answer_is_not_to_be_seen(
    db: Database, chassis_url: str
) -> None:
    """ON CONFLICT waits for the winner, but the statement's snapshot is older than his commit."""
    loser = await asyncpg.connect(chassis_url)
    async with db.transaction() as winner:
        await idempotency.claim(winner, [a_claim("k")], now_us=1)
        waiting = asyncio.create_task(
            loser.fetch(
                "with k as (insert into idempotency_keys values ('intake POST /v1/contacts', 'k', '', '', 1) "
                "on conflict do nothing returning key) "
                "select 'won' from k union all select 'found' from idempotency_keys where key = 'k'"
            )
        )
        async with db.connection() as onlooker:
            await until(lambda: onlooker.fetchval("select exists(select from pg_locks where not granted)"))
    assert await waiting == []
    await loser.close()


async def test_a_rolled_back_claim_leaves_the_key_free(db: Database) -> None:
    async def fail(tx: Connection) -> None:
        await idempotency.claim(tx, [a_claim("k")], now_us=1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await db.run(fail)
    assert (await db.run(claiming(a_claim("k")))).won


async def test_keys_are_forgotten_by_age_and_not_before(db: Database) -> None:
    await db.run(claiming(a_claim("old"), now_us=100))
    await db.run(claiming(a_claim("young"), now_us=200))
    async with db.connection() as connection:
        assert await idempotency.forget(connection, before_us=200) == 1
        assert await idempotency.recall(connection, "intake POST /v1/contacts", "old") is None
        assert await idempotency.recall(connection, "intake POST /v1/contacts", "young") == First(
            b"hash of first", b"first"
        )


async def test_opposite_batches_of_common_keys_do_not_deadlock(db: Database) -> None:
    for turn in range(5):
        claims = [a_claim(f"{turn}-{n}") for n in range(200)]
        there, back = await asyncio.gather(db.run(claiming(*claims)), db.run(claiming(*claims[::-1])))
        assert len(there.won) + len(back.won) == 200


async def test_control_keys_inserted_in_opposite_orders_deadlock(chassis_url: str) -> None:
    both_hold_one = asyncio.Barrier(2)

    async def insert(keys: tuple[str, str]) -> None:
        connection = await asyncpg.connect(chassis_url)
        try:
            async with connection.transaction():
                for key in keys:
                    await connection.execute(
                        "insert into idempotency_keys values ('s', $1, '', '', 1) on conflict do nothing", key
                    )
                    if key == keys[0]:
                        await both_hold_one.wait()
        finally:
            await connection.close()

    outcomes = await asyncio.gather(insert(("a", "b")), insert(("b", "a")), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [asyncpg.DeadlockDetectedError]
