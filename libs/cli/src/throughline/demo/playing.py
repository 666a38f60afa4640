"""Plays one run from the opening to the last contact's end, and proves what came of it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from throughline.demo.articles import stock
from throughline.demo.board import Moment
from throughline.demo.cases import Cases
from throughline.demo.crew import Turn, crew, turns
from throughline.demo.customers import Customers
from throughline.demo.desk import Desk
from throughline.demo.log import Log, Record
from throughline.demo.news import news
from throughline.demo.plan import Visit, plan
from throughline.demo.proof import Proof, prove, timelines_of
from throughline.demo.rules import promises, routing
from throughline.demo.scale import CLOSES_S, Scale, scale_of
from throughline.demo.tally import MOST_NEWS, Tally
from throughline.demo.wire import Answered, Wire
from throughline.trouble import Trouble

IN_TIME_S = 60.0
STILL_S, MOST_CLOSING_S = 60.0, 600.0
GOING_HOME_S = 10.0
TICK_S = 0.25


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is played: the same seed and number of contacts make the same customers."""

    seed: int
    contacts: int
    seconds: float


class Run:
    """One day on one stack, with names of its own. `watched` sees the tally and the moment a few times a second."""

    def __init__(self, wire: Wire, given: Scenario, watched: Callable[[Tally, Moment], None]) -> None:
        self.wire, self.given, self.watched = wire, given, watched
        self.scale: Scale = scale_of(given.seconds)
        self.visits: tuple[Visit, ...] = plan(given.seed, given.contacts)
        self.cases = Cases()
        self.tally = Tally(self.scale.lasts_us(IN_TIME_S))
        self.log = Log(wire.run, self._told)
        self.desks = {
            agent.agent_id: Desk(agent, wire, self.cases, self.scale, given.seed) for agent in crew(given.contacts)
        }
        self.opening = 0.0
        self._news: deque[str] = deque(maxlen=MOST_NEWS)

    async def prepare(self) -> int:
        """Articles, the queues' rules, what is promised there, and the agents; how many articles were new."""
        written = await stock(self.wire)
        for queue in self.queues:
            await self.wire.put("router", f"/v1/queues/{queue}/policy", routing(self.scale))
        await self._promise(promises(self.scale, self.queues))
        for desk in self.desks.values():
            await desk.register()
        await self.log.begin(self.wire)
        return written

    @property
    def queues(self) -> list[str]:
        """The run's own, by name."""
        return sorted({f"{queue}-{self.wire.run}" for desk in self.desks.values() for queue in desk.agent.queues})

    async def play(self) -> None:
        """The day; it is over when every customer is done and the log tells the same. Agents go home in any case."""
        self.opening = asyncio.get_running_loop().time()
        try:
            await self._live()
        finally:
            with suppress(TimeoutError, Trouble):
                async with asyncio.timeout(GOING_HOME_S):
                    await asyncio.gather(*(desk.be("offline") for desk in self.desks.values()))
                    await self._promise({"promises": []})

    async def check(self) -> Proof:
        """The demo's own audit. To be asked once the day is over."""
        await self.log.read(self.wire)
        timelines = await timelines_of(self.wire, self.wire.answered.requests)
        may_hold = {desk.agent_id: desk.agent.capacity for desk in self.desks.values()}
        return prove(self.wire.answered, self.log, timelines, may_hold, self.tally.still_open())

    async def _promise(self, policy: dict[str, Any]) -> None:
        await self.wire.put("escalation", f"/v1/policies/sla/demo-{self.wire.run}", policy)

    async def _live(self) -> None:
        customers = Customers(self.wire, self.cases, self.scale, self.opening)
        try:
            async with asyncio.TaskGroup() as group:
                behind = [group.create_task(desk.work()) for desk in self.desks.values()]
                behind += [group.create_task(self.log.follow(self.wire)), group.create_task(self._watch())]
                behind.append(group.create_task(self._turn(group)))
                there = [group.create_task(customers.live(visit)) for visit in self.visits]
                await self._until_over(there)
                for task in (*behind, *there):
                    task.cancel()
        except ExceptionGroup as errors:
            raise _foremost(errors) from errors

    async def _until_over(self, customers: list[asyncio.Task[None]]) -> None:
        """Everybody is done, and the log tells it. A slow machine gets its time, but not one that makes no progress:
        what is open then stays open, and the proof names it.
        """
        until, seen = asyncio.get_running_loop().time() + self.given.seconds + STILL_S, 0
        most = until + MOST_CLOSING_S
        while not self._is_over(customers):
            now = asyncio.get_running_loop().time()
            if self._ended() > seen:
                until, seen = max(until, now + STILL_S), self._ended()
            if now > min(until, most):
                return
            await self.log.more()

    def _ended(self) -> int:
        """Grows with each contact that comes to an end."""
        return self.tally.counts["Resolved"] + self.tally.counts["Abandoned"]

    def _is_over(self, customers: list[asyncio.Task[None]]) -> bool:
        all_done = all(task.done() for task in customers) and not self.tally.still_open()
        return all_done and all(event_id in self.log.counted for event_id in self.wire.answered.events)

    async def _turn(self, group: asyncio.TaskGroup) -> None:
        """Agents come, have lunch, are lost and go, as the day goes on."""
        for turn in turns(desk.agent for desk in self.desks.values()):
            await self._until(turn)
            group.create_task(self.desks[turn.agent_id].be(turn.status))

    async def _until(self, turn: Turn) -> None:
        await asyncio.sleep(self.opening + self.scale.at(turn.at_s) - asyncio.get_running_loop().time())

    async def _watch(self) -> None:
        while True:
            self.watched(self.tally, self.moment())
            await asyncio.sleep(TICK_S)

    def moment(self) -> Moment:
        """How late it is, and who is at work."""
        passed_s = asyncio.get_running_loop().time() - self.opening
        share = min(1.0, passed_s / self.scale.at(CLOSES_S))
        return Moment(self._time(), share, time.time_ns() // 1_000, dict(self._tiers()), tuple(self._news))

    def _tiers(self) -> Iterator[tuple[int, tuple[int, int]]]:
        busy = self.tally.busy()
        for tier in sorted({desk.agent.tier for desk in self.desks.values()}):
            desks = [desk for desk in self.desks.values() if desk.agent.tier == tier]
            there = sum(desk.status == "available" for desk in desks)
            yield tier, (sum(desk.agent_id in busy for desk in desks), there)

    def _time(self) -> str:
        return self.scale.time_of_day(asyncio.get_running_loop().time() - self.opening)

    def _told(self, record: Record) -> None:
        self.tally.take(record)
        seen = self.tally.seen.get(record["request_id"])
        if seen and (said := news(record, seen.channel, self._time())):
            self._news.append(said)

    @property
    def answered(self) -> Answered:
        """What the services said yes to."""
        return self.wire.answered


def new_run() -> str:
    """A name that no other run has."""
    return uuid.uuid4().hex[:8]


def _foremost(errors: BaseException) -> BaseException:
    """The one that the user can do something about; the others mostly follow from it."""
    if not isinstance(errors, BaseExceptionGroup):
        return errors
    troubles = errors.subgroup(Trouble)
    return errors if troubles is None else _foremost(troubles.exceptions[0])
