"""Orders, deadlines and escalations that meet on one request: one wins, and every answer tells what stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from chassis.database import Database
from chassis.errors import Conflict
from events.contacts import Escalated
from router.domain.follow import ESCALATION
from tests.router.given import abandon, accept, decline, resolve, transfer
from tests.support.floor import Floor
from tests.support.routing import Routing

ROUNDS = range(6)
OFFER_US = 30_000_000


@pytest.fixture
async def there(desk: Routing) -> AsyncIterator[Routing]:
    """Another process's view of the same database."""
    db = Database(desk.db.dsn, name="there")
    await db.open()
    yield Routing(db, desk.clock)
    await db.close()


async def offered(desk: Routing, n: int) -> tuple[str, str]:
    """A request that an agent of its own is offered."""
    request_id, agent_id = f"r-{n}", f"a-{n}"
    await desk.agent(agent_id)
    await desk.contact(request_id)
    assert not (await desk.offer(request_id, agent_id)).lost
    return request_id, agent_id


async def connected(desk: Routing, n: int) -> tuple[str, str]:
    request_id, agent_id = await offered(desk, n)
    await desk.order(request_id, accept(agent_id))
    return request_id, agent_id


async def meet(n: int, *acts: Awaitable[Any]) -> list[Any]:
    """Lets them run at once, in either order to begin with: what each gave or raised."""
    started = list(reversed(acts)) if n % 2 else list(acts)
    ended = await asyncio.gather(*started, return_exceptions=True)
    for each in ended:
        assert each is None or isinstance(each, Conflict | dict), each
    return list(reversed(ended)) if n % 2 else list(ended)


def won(answer: Any) -> bool:
    return not isinstance(answer, Conflict)


async def holder(desk: Routing, agent_id: str) -> str | None:
    ((who, _),) = (await desk.units(agent_id)).values()
    return who


async def test_of_accepts_at_once_only_his_wins_and_each_loser_hears_his_name(desk: Routing, there: Routing) -> None:
    for n in ROUNDS:
        request_id, agent_id = await offered(desk, n)
        others = [(desk if m % 2 else there).order(request_id, accept(f"b-{m}")) for m in range(7)]
        mine, *rest = await meet(n, there.order(request_id, accept(agent_id)), *others)
        assert won(mine)
        assert {(each.holder, each.state) for each in rest} <= {(agent_id, "offered"), (agent_id, "connected")}
        assert await desk.types(request_id) == ["Routed", "Connected"]


async def test_ones_own_accepts_at_once_are_one(desk: Routing, there: Routing) -> None:
    request_id, agent_id = await offered(desk, 0)
    answers = await meet(0, *((desk, there)[m % 2].order(request_id, accept(agent_id)) for m in range(10)))
    assert len({answer["event_id"] for answer in answers}) == 1
    assert await desk.types(request_id) == ["Routed", "Connected"]


async def test_an_accept_against_the_offers_end_is_connected_or_too_late(desk: Routing, there: Routing) -> None:
    floor = Floor(there)
    for n in ROUNDS:
        request_id, agent_id = await offered(desk, n)
        floor.move(OFFER_US)
        answer, _ = await meet(n, desk.order(request_id, accept(agent_id)), _lapse(floor))
        told = await desk.types(request_id)
        assert told == (["Routed", "Connected"] if won(answer) else ["Routed", "OfferClosed"])
        assert await holder(desk, agent_id) == (request_id if won(answer) else None)


async def test_an_escalation_against_a_resolution_has_one_winner(desk: Routing, there: Routing) -> None:
    for n in ROUNDS:
        request_id, agent_id = await connected(desk, n)
        record = there.record(Escalated(to_tier=2, cycle=1, leg=1), request_id, source=ESCALATION)
        answer, _ = await meet(n, desk.order(request_id, resolve(agent_id)), there.take(record))
        last = (await desk.types(request_id))[2:]
        assert last == (["Resolved"] if won(answer) else ["Requeued"])
        assert await holder(desk, agent_id) is None


async def test_an_escalation_against_an_accept_takes_effect_in_any_case(desk: Routing, there: Routing) -> None:
    for n in ROUNDS:
        request_id, agent_id = await offered(desk, n)
        record = there.record(Escalated(to_tier=2, cycle=1, leg=1), request_id, source=ESCALATION)
        answer, _ = await meet(n, desk.order(request_id, accept(agent_id)), there.take(record))
        between = ["Connected"] if won(answer) else []
        assert await desk.types(request_id) == ["Routed", *between, "Requeued"]
        assert await holder(desk, agent_id) is None


async def test_the_customer_goes_whether_or_not_the_agent_was_first(desk: Routing, there: Routing) -> None:
    for n in ROUNDS:
        request_id, agent_id = await offered(desk, n)
        accepted, gone = await meet(n, desk.order(request_id, accept(agent_id)), there.order(request_id, abandon()))
        assert won(gone)
        between = ["Connected"] if won(accepted) else []
        assert await desk.types(request_id) == ["Routed", *between, "Abandoned"]
        assert await holder(desk, agent_id) is None


async def test_of_a_transfer_and_a_resolution_exactly_one_wins(desk: Routing, there: Routing) -> None:
    for n in ROUNDS:
        request_id, agent_id = await connected(desk, n)
        moved, ended = await meet(
            n, desk.order(request_id, transfer(agent_id)), there.order(request_id, resolve(agent_id))
        )
        assert won(moved) is not won(ended)
        assert (await desk.types(request_id))[2:] == ["Transferred" if won(moved) else "Resolved"]
        assert await holder(desk, agent_id) is None


async def test_a_decline_against_its_agents_leaving_closes_the_offer_once(desk: Routing, there: Routing) -> None:
    floor = Floor(there)
    for n in ROUNDS:
        request_id, agent_id = await offered(desk, n)
        answer, _ = await meet(n, desk.order(request_id, decline(agent_id)), _gone(floor, agent_id))
        assert await desk.types(request_id) == ["Routed", "OfferClosed"]
        (closed,) = await desk.rows("select payload from events where stream = $1 and version = 2", request_id)
        assert (b'"declined"' in closed["payload"]) is won(answer)
        assert await holder(desk, agent_id) is None


async def _lapse(floor: Floor) -> None:
    await floor.timers.work()


async def _gone(floor: Floor, agent_id: str) -> None:
    await floor.roster.change_presence(agent_id, "offline")
