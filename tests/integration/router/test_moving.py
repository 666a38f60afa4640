"""Moves on a real database: units are taken once, events stand in their order, losers write nothing."""

from __future__ import annotations

import asyncio
import re

import asyncpg
import pytest

from chassis import idempotency
from chassis.errors import StaleTransaction
from chassis.idempotency import Claim
from router.adapters import moving_sql
from router.adapters.moving import Claims, apply
from router.domain.moves import offer_closed
from tests.router.given import accept, resolve
from tests.support.routing import Routing
from tests.support.until import until


async def test_an_offer_takes_the_unit_and_its_end_frees_it(desk: Routing) -> None:
    await desk.agent("ada")
    await desk.contact("r-1")
    applied = await desk.offer("r-1", "ada")
    assert (set(applied.lost), set(applied.agents), set(applied.queues)) == (set(), {"ada"}, set())
    assert await desk.units("ada") == {("voice", 0): ("r-1", 0)}
    await desk.order("r-1", accept("ada"))
    await desk.order("r-1", resolve("ada"))
    request = await desk.request("r-1")
    assert await desk.units("ada") == {("voice", 0): (None, request.closed_us)}
    assert desk.told[-1].queues == {"default"}
    (agent,) = await desk.rows("select idle_since_us from agents")
    assert agent["idle_since_us"] == request.closed_us


async def test_of_two_offers_of_one_unit_in_one_pass_one_is_lost_and_writes_nothing(desk: Routing) -> None:
    await desk.agent("ada")
    moves = [desk.offering(await desk.contact(f"r-{n}"), "ada") for n in range(2)]
    applied = await desk.apply(*moves)
    ((won,), (lost,)) = applied.done, applied.lost
    assert (await desk.types(won), await desk.types(lost)) == (["Routed"], [])
    assert (await desk.request(lost)).standing.state == "waiting"


async def test_of_offers_of_one_unit_at_once_one_is_made(desk: Routing) -> None:
    await desk.agent("ada")
    moves = [desk.offering(await desk.contact(f"r-{n}"), "ada") for n in range(6)]
    applied = await asyncio.gather(*(desk.apply(move) for move in moves))
    assert sorted(len(each.done) for each in applied) == [0, 0, 0, 0, 0, 1]
    holders = [holder for holder, _ in (await desk.units("ada")).values()]
    assert holders == [request_id for each in applied for request_id in each.done]


@pytest.mark.parametrize("presence", ["away", "offline"])
async def test_who_is_not_there_is_offered_nothing(desk: Routing, presence: str) -> None:
    await desk.agent("ada", presence)
    await desk.contact("r-1")
    assert (await desk.offer("r-1", "ada")).lost == {"r-1"}


async def test_a_unit_beyond_the_capacity_of_today_is_not_given_out(desk: Routing) -> None:
    await desk.agent("ada", chat=2)
    await desk.contact("r-1", channel="chat")
    await desk.rows("update agents set channels = '{\"chat\": 1}'::jsonb returning 1")
    assert (await desk.offer("r-1", "ada", 1)).lost == {"r-1"}
    assert (await desk.offer("r-1", "ada", 0)).lost == frozenset()


async def test_a_unit_that_is_held_is_not_given_to_another_while_there_is_room_beside_it(desk: Routing) -> None:
    await desk.agent("ada", chat=2)
    for n in range(2):
        await desk.contact(f"r-{n}", channel="chat")
    await desk.offer("r-0", "ada", 0)
    assert (await desk.offer("r-1", "ada", 0)).lost == {"r-1"}
    assert (await desk.offer("r-1", "ada", 1)).lost == frozenset()
    assert {holder for holder, _ in (await desk.units("ada")).values()} == {"r-0", "r-1"}


async def test_an_offer_that_rests_on_what_the_request_was_is_lost(desk: Routing) -> None:
    await desk.agent("ada")
    await desk.agent("bob")
    stale = desk.offering(await desk.contact("r-1"), "bob")
    await desk.offer("r-1", "ada")
    assert (await desk.apply(stale)).lost == {"r-1"}
    assert await desk.units("bob") == {("voice", 0): (None, 0)}


async def test_any_other_move_that_rests_on_what_the_request_was_is_run_again(desk: Routing) -> None:
    await desk.agent("ada")
    await desk.contact("r-1")
    await desk.offer("r-1", "ada")
    request = await desk.request("r-1")
    moves = [
        offer_closed(request, "expired", event_id=f"{n:08d}-0000-7000-8000-000000000000", clock_us=1) for n in (1, 2)
    ]
    await desk.apply(moves[0])
    with pytest.raises(StaleTransaction):
        await desk.apply(moves[1])
    assert await desk.types("r-1") == ["Routed", "OfferClosed"]


async def test_a_batch_of_moves_is_written_as_one(desk: Routing) -> None:
    for n in range(40):
        await desk.agent(f"a-{n}")
    requests = [await desk.contact(f"r-{n}", skills=["x"] * (n % 3), priority=n) for n in range(40)]
    applied = await desk.apply(*(desk.offering(request, f"a-{n}") for n, request in enumerate(requests)))
    assert len(applied.done) == 40
    for n, before in enumerate(requests):
        after = await desk.request(before.request_id)
        assert after == applied.done[before.request_id]
        assert (after.standing.agent_id, after.skills, after.version) == (f"a-{n}", before.skills, 1)


async def test_two_holdings_of_a_unit_never_overlap_however_the_clock_was_set(desk: Routing) -> None:
    await desk.agent("ada")
    await desk.contact("r-1")
    await desk.contact("r-2")
    await desk.offer("r-1", "ada")
    await desk.order("r-1", accept("ada"))
    desk.clock.move(60_000_000)
    await desk.order("r-1", resolve("ada"))
    desk.clock.move(-3_600_000_000)
    await desk.offer("r-2", "ada")
    ((_, freed_us),) = (await desk.units("ada")).values()
    assert await desk.events("r-2") == [("Routed", freed_us + 1)]
    (routed,) = await desk.rows("select clock_us from events where stream = 'r-2'")
    assert routed["clock_us"] == desk.clock.now_us()
    offered = await desk.request("r-2")
    assert (offered.offered_us, offered.lapses_us) == (freed_us + 1, desk.clock.now_us() + 30_000_000)


async def test_each_event_of_a_request_is_later_than_the_last_one_known(desk: Routing) -> None:
    await desk.agent("ada")
    ahead = desk.clock.now_us() + 7_200_000_000
    await desk.contact("r-1", at=ahead)
    await desk.offer("r-1", "ada")
    await desk.order("r-1", accept("ada"))
    assert await desk.events("r-1") == [("Routed", ahead + 1), ("Connected", ahead + 2)]


async def test_an_events_floor_is_kept(desk: Routing) -> None:
    await desk.agent("ada")
    await desk.contact("r-1")
    await desk.offer("r-1", "ada")
    request = await desk.request("r-1")
    now, floor = desk.clock.now_us(), desk.clock.now_us() + 30_000_000
    event_id = "00000001-0000-7000-8000-000000000000"
    await desk.apply(offer_closed(request, "expired", event_id=event_id, clock_us=now, floor_us=floor))
    assert (await desk.events("r-1"))[-1] == ("OfferClosed", floor)


async def test_the_agents_are_held_before_any_of_their_units_is_freed(desk: Routing) -> None:
    for agent_id in ("a-1", "a-2"):
        await desk.agent(agent_id)
        await desk.contact(f"of-{agent_id}")
        await desk.offer(f"of-{agent_id}", agent_id)
        await desk.order(f"of-{agent_id}", accept(agent_id))
    other = await asyncpg.connect(desk.db.dsn)
    await other.execute("begin")
    await other.execute("select 1 from agents where agent_id = 'a-1' for no key update")
    orders = asyncio.gather(*(desk.order(f"of-{each}", resolve(each)) for each in ("a-2", "a-1")))
    await until(desk.somebody_waits, what="the orders wait for a-1")
    # Had they freed a unit before, whoever holds its agent would wait for them and they for him.
    await other.execute("select 1 from units where agent_id in ('a-1', 'a-2') for update nowait")
    await other.execute("rollback")
    assert [answer["state"] for answer in await orders] == ["resolved"] * 2
    await other.close()


async def test_a_key_that_was_used_meanwhile_undoes_all(desk: Routing) -> None:
    await desk.agent("ada")
    move = desk.offering(await desk.contact("r-1"), "ada")
    claim = Claim("POST /accept", "k-1", b"hash", b"answer")
    async with desk.db.transaction() as tx:
        await idempotency.claim(tx, [claim], now_us=1)
    with pytest.raises(StaleTransaction):
        async with desk.db.transaction() as tx:
            await apply(tx, [move], claims=Claims([claim], 2))
    assert await desk.types("r-1") == []


@pytest.mark.parametrize("statement", [moving_sql.LOAD, moving_sql.TAKE, moving_sql.WRITE])
async def test_a_plan_that_was_made_of_empty_tables_reads_by_indexes(desk: Routing, statement: str) -> None:
    nothing = ", ".join(["null"] * max(int(number) for number in re.findall(r"\$(\d+)", statement)))
    async with desk.db.transaction() as tx:
        await tx.execute("set local plan_cache_mode = force_generic_plan")
        await tx.execute(f"prepare planned as {statement}")
        plan = "\n".join(row[0] for row in await tx.fetch(f"explain execute planned({nothing})"))
        await tx.execute("deallocate planned")
    assert "Index" in plan
    assert "Seq Scan" not in plan
