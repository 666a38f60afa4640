"""Parts start in order and stop in reverse; a background task never dies unseen."""

import asyncio

import pytest

from chassis.readiness import Status
from chassis.service import Service
from tests.support.until import until


async def test_parts_start_in_order_and_stop_in_reverse_around_the_tasks() -> None:
    said: list[str] = []

    async def say(word: str) -> None:
        said.append(word)

    async def work() -> None:
        said.append("work begins")
        await stopped.wait()
        said.append("work ends")

    stopped = asyncio.Event()
    service = Service("sample")
    service.around(start=lambda: say("open 1"), stop=lambda: say("close 1"))
    service.around(start=lambda: say("open 2"), stop=lambda: say("close 2"))
    service.background("work", work, stop=stopped.set)
    async with service.lifespan(None):
        await until(lambda: "work begins" in said)
    assert said == ["open 1", "open 2", "work begins", "work ends", "close 2", "close 1"]


async def test_what_was_opened_is_closed_where_a_later_part_does_not_open() -> None:
    said: list[str] = []

    async def close() -> None:
        said.append("closed")

    async def fail() -> None:
        raise OSError("no")

    service = Service("sample")
    service.around(stop=close)
    service.around(start=fail)
    with pytest.raises(OSError, match="no"):
        async with service.lifespan(None):
            pass
    assert said == ["closed"]


async def test_a_task_that_crashes_shows_everywhere() -> None:
    async def crash() -> None:
        raise KeyError("row")

    service = Service("sample")
    service.background("relay", crash)
    async with service.lifespan(None):
        await asyncio.wait_for(service.crashed.wait(), 2)
        assert service.check().status is Status.DOWN
        assert "relay" in service.check().detail
    assert service.exit_code == 1


@pytest.mark.parametrize(("ends", "exit_code"), [(False, 1), (True, 0)])
async def test_a_task_that_just_ends_is_a_crash_unless_it_was_said(ends: bool, exit_code: int) -> None:
    async def nothing() -> None:
        ended.set()

    ended = asyncio.Event()

    service = Service("sample")
    service.background("topics", nothing, ends=ends)
    async with service.lifespan(None):
        await ended.wait()
        await until(lambda: service.crashed.is_set() or ends)
    assert service.exit_code == exit_code


async def test_a_task_without_a_stop_is_cancelled() -> None:
    async def for_ever() -> None:
        await asyncio.Event().wait()

    service = Service("sample")
    service.background("purge", for_ever)
    async with service.lifespan(None):
        pass
    assert service.exit_code == 0
