"""The agents: written, coming and going, looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import structlog

from chassis.errors import NotFound, Unavailable
from events.agents import Presence
from router.domain.agents import OFFLINE, Agent, Fact, Profile, change_presence, put

_log = structlog.get_logger(__name__)

Decide: TypeAlias = Callable[[Agent | None], Fact | None]


@dataclass(frozen=True, slots=True)
class Assignment:
    """A request that an agent is offered or has; `lapses_us` is when its offer lapses by the clock, if it is one."""

    request_id: str
    state: str
    leg: int
    channel: str
    queue: str
    tier: int
    offered_us: int | None
    lapses_us: int | None


@dataclass(frozen=True, slots=True)
class Shown:
    """An agent with what he is offered and has, in the order in which he was offered it."""

    agent: Agent
    assignments: tuple[Assignment, ...]


class AgentStore(Protocol):
    """All agents, one transaction at a time for each."""

    async def settle(self, agent_id: str, decide: Decide) -> None:
        """Writes what `decide` makes of the agent as he stands, None where there is none.

        Raises what `decide` raises (nothing is written then), and `Unavailable` where the outcome is unknown.
        """
        ...

    async def look(self, agent_id: str) -> Shown | None:
        """The agent, None for an unknown one."""
        ...

    async def page(self, after: str | None, most: int) -> Sequence[Shown]:
        """At most so many, by agent_id, after that one."""
        ...


class Withdrawals(Protocol):
    """Takes open offers back from agents who have gone."""

    async def withdraw(self, agent_ids: Sequence[str]) -> None:
        """Closes the open offers of those of these agents who are offline. Raises `Unavailable`."""
        ...


class Roster:
    """Carries out what is ordered about agents."""

    def __init__(self, store: AgentStore, withdrawals: Withdrawals) -> None:
        self._store = store
        self._withdrawals = withdrawals

    async def put(self, agent_id: str, profile: Profile, *, by: str | None = None) -> Shown:
        """Registers the agent or changes him; the same profile again states nothing. `by` is who orders it."""
        await self._store.settle(agent_id, lambda agent: put(agent, agent_id, profile, by=by))
        return await self.look(agent_id)

    async def change_presence(self, agent_id: str, status: Presence, *, by: str | None = None) -> Shown:
        """Sets his presence; who goes offline loses his open offers at once. Raises `NotFound`."""

        def decide(agent: Agent | None) -> Fact | None:
            if agent is None:
                raise unknown(agent_id)
            return change_presence(agent, status, by=by)

        await self._store.settle(agent_id, decide)
        if status == OFFLINE:
            await self._withdraw(agent_id)
        return await self.look(agent_id)

    async def look(self, agent_id: str) -> Shown:
        """The agent as he stands; raises `NotFound`."""
        shown = await self._store.look(agent_id)
        if shown is None:
            raise unknown(agent_id)
        return shown

    async def page(self, after: str | None, most: int) -> Sequence[Shown]:
        """At most so many agents, by agent_id, after that one."""
        return await self._store.page(after, most)

    async def _withdraw(self, agent_id: str) -> None:
        """In a transaction of its own: his presence is committed, and the timers finish what fails here."""
        try:
            await self._withdrawals.withdraw([agent_id])
        except Unavailable as error:
            _log.warning("withdrawal_put_off", agent_id=agent_id, reason=error.detail)


def unknown(agent_id: str) -> NotFound:
    """There is no such agent."""
    return NotFound(f"There is no agent {agent_id}: register him with PUT /v1/agents/{{agent_id}} first.")
