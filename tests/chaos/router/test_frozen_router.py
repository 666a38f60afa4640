"""A router that holds a queue is frozen: another takes over, and the thawed one does no harm."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.router import Routers
from tests.support.routing import Routing, routing
from tests.support.until import until


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Routers]:
    async with Routers(database_url, tmp_path) as made:
        yield made


@pytest.fixture
async def desk(service: Routers) -> AsyncIterator[Routing]:
    async with routing(service.dsn) as made:
        yield made


async def holder(desk: Routing) -> int:
    """The process that holds the default queue."""
    rows = await desk.rows("select holder from queues where queue = 'default'")
    return int(str(rows[0]["holder"]).rpartition(":")[2]) if rows else 0


async def held(desk: Routing) -> bool:
    return await holder(desk) > 0


async def test_a_frozen_holders_queue_is_taken_over_and_what_it_does_when_thawed_changes_nothing(
    service: Routers, desk: Routing
) -> None:
    both = [await service.replica(), await service.replica()]
    await both[0].agent("ada", "offline", auto_accept=True)
    for n in range(3):
        await desk.contact(f"r-{n}")
    await until(lambda: held(desk), 10)
    frozen = await holder(desk)
    (other,) = (each for each in both if each.program.pid != frozen)
    (thawed,) = (each for each in both if each.program.pid == frozen)
    os.kill(frozen, signal.SIGSTOP)
    try:
        await other.presence("ada", "available")
        await other.comes("r-0", 20, state="connected", agent_id="ada")
        assert await holder(desk) == other.program.pid
    finally:
        os.kill(frozen, signal.SIGCONT)
    for n in range(3):
        await thawed.comes(f"r-{n}", 20, state="connected")
        await thawed.done("resolve", f"r-{n}", "ada", code="done")
    assert [await desk.types(f"r-{n}") for n in range(3)] == [["Routed", "Connected", "Resolved"]] * 3
