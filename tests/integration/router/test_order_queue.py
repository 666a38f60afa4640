"""Orders that come together, on a real database: one transaction, and each is answered as if it had come alone."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from chassis.commands import Use
from chassis.errors import Conflict, InFlight, NotFound
from router.app.ports import RequestUnit
from router.domain.decide import decide
from router.domain.moves import Move
from tests.router.given import abandon, accept, reopen
from tests.support.routing import Routing, locked
from tests.support.until import until

TRANSACTIONS = "select count(distinct txid) as n from events where type = any($1::text[])"


async def several(desk: Routing, count: int) -> list[str]:
    """The ids of so many requests that wait."""
    ids = [f"r-{n:02d}" for n in range(count)]
    for request_id in ids:
        await desk.contact(request_id)
    return ids


async def transactions(desk: Routing, *types: str) -> int:
    return int((await desk.rows(TRANSACTIONS, list(types)))[0]["n"])


async def test_orders_that_come_while_one_is_written_are_written_together(desk: Routing) -> None:
    ids = await several(desk, 20)
    answers = await asyncio.gather(*(desk.order(each, abandon()) for each in ids))
    assert [answer["request_id"] for answer in answers] == ids
    assert await transactions(desk, "Abandoned") <= 2


async def test_an_order_that_is_refused_takes_nothing_from_the_others(desk: Routing) -> None:
    ids = await several(desk, 6)

    async def bug(_unit: RequestUnit) -> bytes:
        raise ZeroDivisionError

    async def after_its_move(unit: RequestUnit) -> bytes:
        request = await unit.request()
        assert request is not None
        move = decide(request, abandon(), request.last_us)
        assert isinstance(move, Move)
        await unit.apply(move)
        raise KeyError(request.request_id)

    outcomes = await asyncio.gather(
        desk.order(ids[0], abandon()),
        desk.order(ids[1], accept("ada")),
        desk.order("nobody", abandon()),
        desk.store.settled(ids[2], None, bug, words=False),
        desk.store.settled(ids[3], None, after_its_move, words=False),
        desk.order(ids[4], abandon(), Use("POST /abandon", "k-1", b"hash")),
        return_exceptions=True,
    )
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [dict, Conflict, NotFound, ZeroDivisionError, KeyError, dict]
    states = [(await desk.request(each)).standing.state for each in ids]
    assert states == ["abandoned", "waiting", "waiting", "waiting", "abandoned", "waiting"]
    keys = await desk.rows("select key from idempotency_keys")
    assert [row["key"] for row in keys] == ["k-1"]


async def test_a_request_that_somebody_holds_keeps_no_other_order_waiting(desk: Routing) -> None:
    ids = await several(desk, 4)
    session = await locked(desk.db.dsn, ids[0])
    stuck = asyncio.create_task(desk.order(ids[0], abandon()))
    await until(desk.somebody_waits, what="the order waits for its request")
    answers = await asyncio.gather(*(desk.order(each, abandon()) for each in ids[1:]))
    assert [answer["state"] for answer in answers] == ["abandoned"] * 3
    assert not stuck.done()
    await session.close()
    assert (await stuck)["state"] == "abandoned"


async def test_an_order_sent_again_while_it_is_under_way_gets_the_same_answer(desk: Routing) -> None:
    use, other = Use("POST /abandon", "k-1", b"hash"), Use("POST /abandon", "k-1", b"another")
    await desk.contact("r-1")
    session = await locked(desk.db.dsn, "r-1")
    first = asyncio.create_task(desk.order("r-1", abandon(), use))
    await until(desk.somebody_waits, what="the order waits for its request")
    again = asyncio.create_task(desk.order("r-1", abandon(), use))
    with pytest.raises(InFlight):
        await desk.order("r-1", abandon(), other)
    await session.close()
    assert await again == await first
    assert await desk.types("r-1") == ["Abandoned"]


async def test_a_key_that_another_replica_works_on_is_in_flight_and_keeps_nobody_waiting(desk: Routing) -> None:
    there, use = Routing(desk.db, desk.clock), Use("POST /abandon", "k-1", b"hash")
    ids = await several(desk, 2)
    session = await locked(desk.db.dsn, ids[0])
    first = asyncio.create_task(there.order(ids[0], abandon(), use))
    await until(desk.somebody_waits, what="the order waits for its request")
    same, other = await asyncio.gather(
        desk.order(ids[0], abandon(), use), desk.order(ids[1], abandon()), return_exceptions=True
    )
    assert isinstance(same, InFlight)
    assert isinstance(other, dict)
    await session.close()
    answer = await first
    assert await desk.order(ids[0], abandon(), use) == answer


async def test_orders_on_one_request_are_carried_out_in_the_order_in_which_they_came(desk: Routing) -> None:
    await desk.contact("r-1")
    answers = await asyncio.gather(*(desk.order("r-1", make()) for make in (abandon, reopen, abandon, reopen)))
    assert [(answer["state"], answer["version"]) for answer in answers] == [
        ("abandoned", 1),
        ("waiting", 2),
        ("abandoned", 3),
        ("waiting", 4),
    ]


async def test_what_cannot_be_written_is_refused_alone(desk: Routing) -> None:
    ids = await several(desk, 3)
    spoilt = Use("POST /abandon", "k-\x00", b"hash")
    outcomes = await asyncio.gather(
        desk.order(ids[0], abandon()),
        desk.order(ids[1], abandon(), spoilt),
        desk.order(ids[2], abandon()),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], asyncpg.DataError)
    assert [(await desk.request(each)).standing.state for each in ids] == ["abandoned", "waiting", "abandoned"]


async def test_what_an_order_ran_into_in_the_database_is_no_refusal_of_it_alone(desk: Routing) -> None:
    ids = await several(desk, 2)

    async def broken(_unit: RequestUnit) -> bytes:
        async with desk.db.connection() as connection:
            await connection.execute("select 1 / 0")
        return b""

    outcomes = await asyncio.gather(
        desk.order(ids[0], abandon()), desk.store.settled(ids[1], None, broken, words=False), return_exceptions=True
    )
    assert isinstance(outcomes[0], dict)
    assert isinstance(outcomes[1], asyncpg.DataError)


async def test_who_leaves_before_his_order_is_written_leaves_it_to_be_carried_out(desk: Routing) -> None:
    ids = await several(desk, 2)
    session = await locked(desk.db.dsn, ids[0])
    orders = [asyncio.create_task(desk.order(each, abandon())) for each in ids]
    await until(desk.somebody_waits, what="the order waits for its request")
    for order in orders:
        order.cancel()
    await session.close()
    await until(lambda: all_abandoned(desk, ids), what="both are carried out")
    assert len(desk.told) >= 1


async def all_abandoned(desk: Routing, ids: list[str]) -> bool:
    return [(await desk.request(each)).standing.state for each in ids] == ["abandoned"] * len(ids)
