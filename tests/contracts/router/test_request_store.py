"""What the requests' store promises to orders: the one in memory and the one on PostgreSQL alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

import pytest

from chassis.commands import Use
from chassis.errors import InFlight, KeyReused
from router.app.ports import RequestStore, RequestUnit, Shown
from router.domain.commands import Command
from router.domain.decide import decide
from router.domain.moves import Move
from router.domain.request import Request
from tests.router.given import abandon, accept, done, offering, reopen, resolve, waiting
from tests.router.memory import MemoryRequests
from tests.support.routing import Routing, routing

USE = Use("POST /v1/requests/r-1/abandon", "k-1", b"one")
OTHER = Use("POST /v1/requests/r-1/abandon", "k-1", b"two")


class Given(Protocol):
    """A store, and how its tables come to hold something."""

    store: RequestStore

    async def has(self, request: Request) -> None: ...
    async def has_agent(self, agent_id: str) -> None: ...
    async def offers(self, agent_id: str) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self.kept = MemoryRequests()
        self.store: RequestStore = self.kept

    async def has(self, request: Request) -> None:
        self.kept.requests[request.request_id] = request

    async def has_agent(self, agent_id: str) -> None:
        self.kept.agents.add(agent_id)

    async def offers(self, agent_id: str) -> None:
        move = offering(self.kept.requests["r-1"], agent_id)
        self.kept.moves.append(move)
        self.kept.requests["r-1"] = done(move)


class InSql:
    def __init__(self, desk: Routing) -> None:
        self.desk = desk
        self.store: RequestStore = desk.store

    async def has(self, request: Request) -> None:
        await self.desk.contact(request.request_id)
        await self.desk.key()

    async def has_agent(self, agent_id: str) -> None:
        await self.desk.agent(agent_id)

    async def offers(self, agent_id: str) -> None:
        await self.desk.offer("r-1", agent_id)


@pytest.fixture(params=["memory", "sql"])
async def given(request: pytest.FixtureRequest) -> AsyncIterator[Given]:
    """A store that holds one request, which waits."""
    if request.param == "memory":
        in_memory = InMemory()
        await in_memory.has(waiting())
        yield in_memory
        return
    async with routing(request.getfixturevalue("database_url")) as desk:
        in_sql = InSql(desk)
        await in_sql.has(waiting())
        yield in_sql


def doing(command: Command, answer: bytes = b"done") -> Callable[[RequestUnit], Awaitable[bytes]]:
    async def settle(unit: RequestUnit) -> bytes:
        request = await unit.request()
        assert request is not None
        move = decide(request, command, request.last_us)
        assert isinstance(move, Move), move
        await unit.apply(move)
        return answer

    return settle


async def shown(given: Given) -> Shown:
    found = await given.store.shown("r-1")
    assert found is not None
    return found


async def settled(given: Given, command: Command, use: Use | None = None, answer: bytes = b"done") -> bytes:
    return await given.store.settled("r-1", use, doing(command, answer), words=command.words is not None)


async def test_what_was_settled_is_shown(given: Given) -> None:
    assert await settled(given, abandon(reason="hung up")) == b"done"
    request = (await shown(given)).request
    assert (request.standing.state, request.version) == ("abandoned", 1)
    assert request.closed_us == request.last_us


async def test_what_a_move_gives_is_what_stands_then(given: Given) -> None:
    gave: list[Request] = []

    async def settle(unit: RequestUnit) -> bytes:
        request = await unit.request()
        assert request is not None
        move = decide(request, abandon(), request.last_us)
        assert isinstance(move, Move)
        gave.append(await unit.apply(move))
        return b""

    await given.store.settled("r-1", None, settle, words=False)
    assert gave == [(await shown(given)).request]


async def test_what_fails_is_not_written(given: Given) -> None:
    async def settle(unit: RequestUnit) -> bytes:
        await doing(abandon())(unit)
        raise LookupError

    with pytest.raises(LookupError):
        await given.store.settled("r-1", USE, settle, words=False)
    assert (await shown(given)).request.standing.state == "waiting"
    assert await settled(given, abandon(), USE) == b"done"


async def test_a_key_gives_the_first_answer_again_and_stands_for_one_body(given: Given) -> None:
    await settled(given, abandon(), USE, b"first")
    assert await settled(given, reopen(), USE, b"second") == b"first"
    with pytest.raises(KeyReused):
        await settled(given, reopen(), OTHER)
    assert (await shown(given)).request.standing.state == "abandoned"


async def test_a_key_that_is_worked_on_is_in_flight(given: Given) -> None:
    entered, let_go = asyncio.Event(), asyncio.Event()

    async def slowly(unit: RequestUnit) -> bytes:
        answer = await doing(abandon())(unit)
        entered.set()
        await let_go.wait()
        return answer

    first = asyncio.ensure_future(given.store.settled("r-1", USE, slowly, words=False))
    await entered.wait()
    with pytest.raises(InFlight):
        await settled(given, abandon(), USE)
    let_go.set()
    assert await first == b"done"


async def test_of_orders_at_once_each_finds_what_the_one_before_left(given: Given) -> None:
    seen: list[int] = []

    async def settle(unit: RequestUnit) -> bytes:
        request = await unit.request()
        assert request is not None
        seen.append(request.version)
        command = abandon() if request.standing.state == "waiting" else reopen()
        return await doing(command)(unit)

    await asyncio.gather(*(given.store.settled("r-1", None, settle, words=False) for _ in range(5)))
    assert sorted(seen) == [0, 1, 2, 3, 4]


async def test_agents_are_known_once_they_are_registered(given: Given) -> None:
    async def ask(unit: RequestUnit) -> bytes:
        return str(await unit.knows_agent("ada")).encode()

    assert await given.store.settled("r-1", None, ask, words=False) == b"False"
    await given.has_agent("ada")
    assert await given.store.settled("r-1", None, ask, words=False) == b"True"


async def test_a_request_is_shown_with_the_decision_of_its_last_offer(given: Given) -> None:
    assert (await shown(given)).decision is None
    await given.has_agent("ada")
    await given.offers("ada")
    await settled(given, accept("ada"))
    await settled(given, resolve("ada", summary="all is well"))
    found = await shown(given)
    assert found.decision is not None
    assert (found.decision["policy_version"], found.decision["candidates"]) == (1, [])


async def test_what_is_not_known_is_not_there(given: Given) -> None:
    async def ask(unit: RequestUnit) -> bytes:
        return str(await unit.request()).encode()

    assert await given.store.shown("r-2") is None
    assert await given.store.settled("r-2", None, ask, words=True) == b"None"
