"""Agents and waiting requests for tests of the choice, with whatever a test is not about left at the usual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from events.agents import Presence
from router.domain.agents import Agent, Profile
from router.domain.fitting import Worker
from router.domain.matching import Waiting
from router.domain.policies import Policy

NOW_US = 1_800_000_000_000_000
POLICY = Policy(queue="default")


def worker(
    agent_id: str = "a-1",
    *,
    idle_s: float = 60,
    free: Mapping[str, tuple[int, ...]] | None = None,
    held: int = 0,
    presence: Presence = "available",
    **profile: Any,
) -> Worker:
    """An idle agent of the queue `default`, tier 1, with one unit for calls."""
    about = Profile(**{"name": agent_id, "channels": {"voice": 1}, **profile})
    return Worker(
        agent=Agent(agent_id=agent_id, profile=about, presence=presence),
        free={channel: tuple(range(most)) for channel, most in about.channels.items()} if free is None else free,
        held=held,
        idle_since_us=NOW_US - round(idle_s * 1e6),
    )


def waiting(request_id: str = "r-1", *, age_s: float = 10, **facts: Any) -> Waiting:
    """A call that asks for nothing in particular."""
    usual: dict[str, Any] = {"version": 0, "tier": 1, "channel": "voice", "priority": 0}
    return Waiting(request_id=request_id, received_us=NOW_US - round(age_s * 1e6), **{**usual, **facts})
