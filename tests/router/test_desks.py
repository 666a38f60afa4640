"""The streams of agents' desks: told at once, in whole at first, and over with the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing

import pytest

from chassis.errors import Unavailable
from router.app.desks import Desks, Notice
from router.app.roster import Assignment
from router.domain.desk import News
from tests.support.until import until


class Table:
    """What the agents are offered and have; it may be away."""

    def __init__(self) -> None:
        self.assignments: list[Assignment] = []
        self.away = False
        self.readings: list[list[str]] = []

    async def of(self, agent_ids: Collection[str]) -> Mapping[str, Sequence[Assignment]]:
        self.readings.append(sorted(agent_ids))
        if self.away:
            raise Unavailable("away")
        return {"ada": self.assignments} if "ada" in agent_ids else {}


def assignment(request_id: str, state: str = "offered", leg: int = 1) -> Assignment:
    return Assignment(request_id, state, leg, "voice", "default", 1, 1, None)


async def told(stream: AsyncIterator[Notice]) -> tuple[News, str]:
    notice = await asyncio.wait_for(anext(stream), 5)
    return notice.news, notice.assignment.request_id


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def desks(table: Table) -> Desks:
    return Desks(table, asyncio.Event())


async def test_a_stream_begins_with_all_there_is_and_goes_on_with_what_changes(table: Table, desks: Desks) -> None:
    table.assignments = [assignment("r-1", "connected"), assignment("r-2")]
    async with aclosing(desks.follow("ada")) as stream:
        assert [await told(stream), await told(stream)] == [(News.CONNECTED, "r-1"), (News.OFFER, "r-2")]
        table.assignments = [assignment("r-2"), assignment("r-3")]
        desks.wake("ada")
        assert [await told(stream), await told(stream)] == [(News.RELEASED, "r-1"), (News.OFFER, "r-3")]


async def test_each_of_several_desks_of_an_agent_is_told(table: Table, desks: Desks) -> None:
    async with aclosing(desks.follow("ada")) as one, aclosing(desks.follow("ada")) as two:
        waiting = [asyncio.ensure_future(told(stream)) for stream in (one, two)]
        await asyncio.sleep(0)
        table.assignments = [assignment("r-1")]
        desks.wake("ada")
        assert await asyncio.gather(*waiting) == [(News.OFFER, "r-1")] * 2


async def test_what_nobody_signalled_is_found_by_looking(table: Table, desks: Desks) -> None:
    async with aclosing(desks.follow("ada")) as stream:
        waiting = asyncio.ensure_future(told(stream))
        await asyncio.sleep(0)
        table.assignments = [assignment("r-1")]
        assert await waiting == (News.OFFER, "r-1")


async def test_where_signals_may_have_been_lost_every_desk_looks(table: Table, desks: Desks) -> None:
    async with aclosing(desks.follow("ada")) as stream:
        waiting = asyncio.ensure_future(told(stream))
        await asyncio.sleep(0)
        table.assignments = [assignment("r-1")]
        desks.wake("")
        assert await waiting == (News.OFFER, "r-1")


async def test_without_the_database_nothing_is_taken_for_gone(table: Table, desks: Desks) -> None:
    table.assignments = [assignment("r-1")]
    async with aclosing(desks.follow("ada")) as stream:
        assert await told(stream) == (News.OFFER, "r-1")
        waiting = asyncio.ensure_future(told(stream))
        table.away = True
        desks.wake("ada")
        await asyncio.sleep(0)
        table.away, table.assignments = False, [assignment("r-1"), assignment("r-2")]
        desks.wake("ada")
        assert await waiting == (News.OFFER, "r-2")


async def test_a_stream_ends_with_the_service(table: Table) -> None:
    stopping = asyncio.Event()
    async with aclosing(Desks(table, stopping).follow("ada")) as stream:
        waiting = asyncio.ensure_future(anext(stream, None))
        await asyncio.sleep(0)
        stopping.set()
        assert await asyncio.wait_for(waiting, 5) is None


async def test_desks_that_are_woken_together_are_read_together(table: Table, desks: Desks) -> None:
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(aclosing(desks.follow(each))) for each in ("ada", "bob", "cid")]
        waiting = [asyncio.ensure_future(anext(stream)) for stream in streams]
        await until(lambda: bool(table.readings), what="the first reading")
        table.assignments = [assignment("r-1")]
        desks.wake("")
        await waiting[0]
        assert table.readings[-1] == ["ada", "bob", "cid"]
        for each in waiting[1:]:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
