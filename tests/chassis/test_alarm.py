"""An alarm: work when it is due, when somebody wakes it, and at the latest when the net says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from chassis.alarm import Alarm
from chassis.errors import StaleTransaction, Unavailable
from tests.support.until import until

NEVER_S = 3_600.0


class Chores:
    """Does nothing, counts it, and says what is in its list; then that nothing is due."""

    def __init__(self, *says: float | Exception | None) -> None:
        self.says = list(says)
        self.done = 0
        self.hold: asyncio.Event | None = None

    async def __call__(self) -> float | None:
        self.done += 1
        says = self.says.pop(0) if self.says else None
        if self.hold is not None:
            await self.hold.wait()
        if isinstance(says, Exception):
            raise says
        return says


@asynccontextmanager
async def ringing(chores: Chores, net_s: float = NEVER_S) -> AsyncIterator[Alarm]:
    alarm = Alarm(chores, net_s=net_s)
    running = asyncio.create_task(alarm.run())
    yield alarm
    alarm.stop()
    await asyncio.wait_for(running, 5)


async def test_the_work_is_done_at_once_and_again_when_it_is_due() -> None:
    chores = Chores(0.01, 0.01)
    async with ringing(chores):
        await until(lambda: chores.done == 3)


async def test_it_is_not_done_before_it_is_due() -> None:
    chores = Chores(NEVER_S)
    async with ringing(chores, net_s=0.05):
        started = asyncio.get_running_loop().time()
        await until(lambda: chores.done == 2)
        assert asyncio.get_running_loop().time() - started >= 0.04


async def test_whatever_is_said_the_net_looks_again() -> None:
    chores = Chores(NEVER_S, None)
    async with ringing(chores, net_s=0.01):
        await until(lambda: chores.done >= 4)


@pytest.mark.parametrize("says", [0.0, -5.0])
async def test_what_is_overdue_is_done_at_once_and_leaves_the_loop_to_others(says: float) -> None:
    chores = Chores(*[says] * 50)
    async with ringing(chores):
        await until(lambda: chores.done == 51)


async def test_a_wake_up_brings_the_work_forward() -> None:
    chores = Chores()
    async with ringing(chores) as alarm:
        await until(lambda: chores.done == 1)
        alarm.wake()
        await until(lambda: chores.done == 2)


async def test_a_wake_up_during_the_work_makes_it_run_once_more() -> None:
    chores = Chores()
    chores.hold = asyncio.Event()
    async with ringing(chores) as alarm:
        await until(lambda: chores.done == 1)
        alarm.wake()
        chores.hold.set()
        await until(lambda: chores.done == 2)


@pytest.mark.parametrize("trouble", [Unavailable("no database"), StaleTransaction("written by a younger one")])
async def test_what_is_transient_is_waited_out(trouble: Exception) -> None:
    chores = Chores(trouble, trouble)
    async with ringing(chores) as alarm:
        await until(lambda: chores.done == 1)
        alarm.wake()  # A wake-up does not get round the back-off.
        await until(lambda: chores.done == 3)


async def test_a_back_off_is_not_shortened_by_wake_ups() -> None:
    chores = Chores(*[Unavailable("no database")] * 200)
    async with ringing(chores) as alarm:
        for _ in range(200):
            alarm.wake()
            await asyncio.sleep(0)
        assert chores.done == 1


async def test_any_other_error_is_the_programs_and_ends_it() -> None:
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(Alarm(Chores(ZeroDivisionError()), net_s=NEVER_S).run(), 5)


@pytest.mark.parametrize("said", [(NEVER_S,), (Unavailable("no database"),) * 9])
async def test_it_stops_at_once_while_it_rests_or_backs_off(said: Sequence[float | Exception]) -> None:
    chores = Chores(*said)
    async with ringing(chores):
        await until(lambda: chores.done == 1)
