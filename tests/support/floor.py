"""The router's half that matches, beside its half that moves: passes, timers, agents and policies on one database."""

from __future__ import annotations

from typing import Any

from chassis.clock import Clock
from events.agents import Presence
from router.adapters.agents import SqlAgents
from router.adapters.due import SqlDue
from router.adapters.passes import SqlPasses
from router.adapters.policies import SqlPolicies
from router.app.passes import Passed
from router.app.roster import Roster
from router.app.timers import Timers
from router.domain.agents import Profile
from router.domain.matching import Matcher, match
from router.domain.policies import Policy
from router.domain.timers import Due
from tests.support.clocks import SetClock
from tests.support.routing import Routing


class Floor:
    """What one replica does by itself over a `Routing`'s database, on a clock of its own where one is given."""

    def __init__(
        self, desk: Routing, holder: str = "one", *, matcher: Matcher = match, clock: Clock | None = None
    ) -> None:
        self.desk = desk
        own = clock or desk.clock
        self.steady = SetClock(0)
        self.late: list[tuple[Due, int]] = []
        self.passes = SqlPasses(desk.db, own, matcher, desk.told.append, holder=holder)
        self.due = SqlDue(desk.db, own, desk.told.append)
        self.agents = SqlAgents(desk.db, own, desk.told.append)
        self.roster = Roster(self.agents, self.due)
        self.policies = SqlPolicies(desk.db, own, desk.told.append)
        self.timers = Timers(self.due, own, self.steady.now_us, lambda due, us: self.late.append((due, us)))

    async def agent(self, agent_id: str, presence: Presence = "available", **profile: Any) -> None:
        """An agent with room for one call where nothing else is said."""
        await self.roster.put(agent_id, Profile(**{"name": agent_id, "channels": {"voice": 1}, **profile}))
        await self.roster.change_presence(agent_id, presence)

    async def policy(self, queue: str = "default", **changes: Any) -> Policy:
        """The queue's next policy."""
        await self.policies.change(queue, changes, None, lambda _: b"{}")
        return await self.policies.look(queue)

    async def go_over(self, queue: str = "default") -> Passed:
        """One pass."""
        return await self.passes.go_over(queue)

    async def holder(self, request_id: str) -> str | None:
        """Who is offered it or has it."""
        return (await self.desk.request(request_id)).standing.agent_id

    async def state(self, request_id: str) -> str:
        return str((await self.desk.request(request_id)).standing.state)

    def move(self, by_us: int) -> None:
        """Time goes on: by both clocks."""
        self.desk.clock.move(by_us)
        self.steady.move(by_us)
