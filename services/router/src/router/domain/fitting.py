"""What a request asks of an agent, and whether he can have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from router.domain.agents import Agent

REASONS: Final = ("not_asked_for", "tier", "channel", "skills", "language", "offline", "away", "full", "asked_before")
"""Why an agent of the queue cannot have a request; of several reasons the first one here is told.

`not_asked_for`: it waits for another one by name. `full`: he has no unit left on its channel. `asked_before`: he
declined it or let it lapse, and somebody else is there or it is too early to ask him again.
"""


class Shape(NamedTuple):
    """What a request asks of an agent; `language` None is any, `skills` are sorted."""

    tier: int
    channel: str
    language: str | None
    skills: tuple[str, ...]
    wanted_agent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """An agent with what he could take now.

    `free` gives the numbers of the units that he may take by channel, no more than he has room for; `held` is how many
    requests he has on all channels; `idle_since_us` when he last let one go or came, in µs since 1970.
    """

    agent: Agent
    free: Mapping[str, tuple[int, ...]]
    held: int
    idle_since_us: int

    @property
    def agent_id(self) -> str:
        """Whose this is."""
        return self.agent.agent_id


@dataclass(frozen=True, slots=True)
class Absent:
    """The queue's agents who can have nothing now, whatever is asked: `offline`, `away` or `full` on every channel.

    `counts` is how many by reason, `listed` the first of them with their reasons, as many as a record names.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    listed: tuple[tuple[str, str], ...] = ()


NOBODY: Final = Absent()


class Units(NamedTuple):
    """An agent's units on one channel: how many are held, and the numbers of those that are not."""

    channel: str
    held: int
    free: Sequence[int]


def worker_of(agent: Agent, units: Iterable[Units], idle_since_us: int) -> Worker:
    """The agent with what he could take; where his channels were made fewer, what he holds beyond them counts too."""
    free: dict[str, tuple[int, ...]] = {}
    held = 0
    for each in units:
        held += each.held
        most = agent.profile.channels.get(each.channel, 0)
        numbers = tuple(n for n in each.free if n < most)[: max(0, most - each.held)]
        if numbers:
            free[each.channel] = numbers
    return Worker(agent=agent, free=free, held=held, idle_since_us=idle_since_us)


def unfit(shape: Shape, agent: Agent, queue: str) -> str | None:
    """Why he cannot have a request of this shape in this queue, whatever room he has; None where he can.

    Of who is wanted by name nothing is asked but the channel and his presence.
    """
    if shape.wanted_agent is None:
        lacking = _lacks(shape, agent, queue)
    elif shape.wanted_agent != agent.agent_id:
        lacking = "not_asked_for"
    else:
        lacking = None if agent.profile.channels.get(shape.channel) else "channel"
    if lacking is not None or agent.is_available:
        return lacking
    return agent.presence


def _lacks(shape: Shape, agent: Agent, queue: str) -> str | None:
    profile = agent.profile
    if queue not in profile.queues or profile.tier != shape.tier:
        return "tier"
    if not profile.channels.get(shape.channel):
        return "channel"
    if not profile.skills.keys() >= set(shape.skills):
        return "skills"
    if shape.language is not None and profile.languages and shape.language not in profile.languages:
        return "language"
    return None
