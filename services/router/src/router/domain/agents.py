"""Agents: who they are, whether they are there, and what an order to change that comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from events.agents import AgentRegistered, AgentUpdated, Presence, PresenceChanged

AVAILABLE: Final = "available"
OFFLINE: Final = "offline"

_NOTHING: Final[Mapping[str, int]] = MappingProxyType({})

Fact: TypeAlias = AgentRegistered | AgentUpdated | PresenceChanged


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is written of an agent; what is left out has the value that the contract gives it.

    `skills` gives a level from 1 to 5, `languages` none for any, `channels` how many requests at once.
    """

    name: str
    queues: tuple[str, ...] = ("default",)
    tier: int = 1
    skills: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    languages: tuple[str, ...] = ()
    channels: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    auto_accept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent as he stands. `version` counts the changes of his profile.

    `presence_us` is the time of the event that gave him his presence, `offline_at_us` the reading of the clock when he
    went offline, None while he is not; both in µs since 1970.
    """

    agent_id: str
    profile: Profile
    version: int = 1
    presence: Presence = "offline"
    presence_us: int = 0
    offline_at_us: int | None = None

    @property
    def is_available(self) -> bool:
        """Whether he takes offers."""
        return self.presence == AVAILABLE


def put(
    agent: Agent | None, agent_id: str, profile: Profile, *, by: str | None = None
) -> AgentRegistered | AgentUpdated | None:
    """What writing this profile comes to; None where he is so already. `by` is who writes it."""
    if agent is None:
        return AgentRegistered(**_members(agent_id, profile, 1), **_by(by))
    if agent.profile == profile:
        return None
    return AgentUpdated(**_members(agent_id, profile, agent.version + 1), **_by(by))


def change_presence(agent: Agent, status: Presence, *, by: str | None = None) -> PresenceChanged | None:
    """What setting this presence comes to; None where it is so already. `by` is who sets it."""
    if agent.presence == status:
        return None
    return PresenceChanged(agent_id=agent.agent_id, status=status, previous=agent.presence, **_by(by))


def evolve(agent: Agent | None, fact: Fact, *, occurred_us: int, clock_us: int) -> Agent:
    """The agent after a fact about him that occurred then, as the clock that was read for it showed `clock_us`."""
    if isinstance(fact, PresenceChanged):
        if agent is None:
            raise ValueError(f"the agent {fact.agent_id} was never registered")
        gone_us = clock_us if fact.status == OFFLINE else None
        return replace(agent, presence=fact.status, presence_us=occurred_us, offline_at_us=gone_us)
    profile = Profile(
        name=fact.name,
        queues=tuple(fact.queues),
        tier=fact.tier,
        skills=dict(fact.skills),
        languages=tuple(fact.languages),
        channels=dict[str, int](fact.channels.items()),
        auto_accept=fact.auto_accept,
    )
    if agent is None:
        return Agent(agent_id=fact.agent_id, profile=profile, presence_us=occurred_us, offline_at_us=clock_us)
    return replace(agent, profile=profile, version=agent.version + 1)


def _by(name: str | None) -> dict[str, Any]:
    return {} if name is None else {"by": name}


def _members(agent_id: str, profile: Profile, version: int) -> dict[str, Any]:
    return {
        "agent_id": agent_id,
        "name": profile.name,
        "queues": list(profile.queues),
        "tier": profile.tier,
        "skills": dict(profile.skills),
        "languages": list(profile.languages),
        "channels": dict(profile.channels),
        "auto_accept": profile.auto_accept,
        "version": version,
    }
