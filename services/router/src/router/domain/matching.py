"""Who is offered what: the choice of one pass over a queue, as a pure function of what waits and who is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol

from events.contacts import Decision
from events.times import to_text
from router.domain.fitting import NOBODY, Absent, Shape, Worker
from router.domain.lines import Line, Lines
from router.domain.policies import Policy
from router.domain.request import Request, Unit

MOST_CHOICES: Final = 200
"""How many choices a pass makes: they are committed together, and a transaction must stay short."""

_NOBODY: Final[Mapping[str, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A waiting request, as far as the choice looks at it.

    `avoid` says who let it go, and by the clock until when (µs since 1970) he is not asked again. `version` is the
    request's, which the choice rests on.
    """

    request_id: str
    version: int
    tier: int
    channel: str
    priority: int
    received_us: int
    language: str | None = None
    skills: tuple[str, ...] = ()
    wanted_agent: str | None = None
    avoid: Mapping[str, int] = field(default_factory=lambda: _NOBODY)

    @property
    def shape(self) -> Shape:
        """What it asks of an agent: requests of one shape are for the same agents."""
        return Shape(self.tier, self.channel, self.language, tuple(sorted(set(self.skills))), self.wanted_agent)

    @property
    def turn(self) -> tuple[int, int, str]:
        """Its place in the queue: the highest priority first, then who was received first."""
        return -self.priority, self.received_us, self.request_id


def waiting_of(request: Request) -> Waiting:
    """What the choice looks at of a request that waits."""
    return Waiting(
        request_id=request.request_id,
        version=request.version,
        tier=request.standing.tier,
        channel=request.channel,
        priority=request.priority,
        received_us=request.received_us,
        language=request.language,
        skills=request.skills,
        wanted_agent=request.wanted_agent,
        avoid=request.avoid,
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """A request, at the version that was looked at, for an agent's unit, and why."""

    request_id: str
    version: int
    unit: Unit
    auto_accept: bool
    decision: Decision


@dataclass(frozen=True, slots=True)
class Matched:
    """The choices in their order; `more` says that there may be others at once.

    `again_us` is when by the clock somebody may be asked again who was not now, None where nobody is waited for so.
    """

    choices: tuple[Choice, ...] = ()
    again_us: int | None = None
    more: bool = False


class Matcher(Protocol):
    """Whoever chooses. The same choices must come out whatever the order of what goes in."""

    def __call__(
        self,
        waiting: Iterable[Waiting],
        workers: Iterable[Worker],
        policy: Policy,
        *,
        now_us: int,
        absent: Absent = ...,
        most: int = ...,
    ) -> Matched:
        """At most `most` choices, each request and each unit in one at most; `now_us` is the clock's reading.

        The requests are the queue's, and of those of one shape at least the first ones, as many as there are units for
        them. `workers` are the agents of the queue who have a unit free, and those who are wanted by name and have;
        `absent` are the queue's others, for the records.
        """
        ...


def match(
    waiting: Iterable[Waiting],
    workers: Iterable[Worker],
    policy: Policy,
    *,
    now_us: int,
    absent: Absent = NOBODY,
    most: int = MOST_CHOICES,
) -> Matched:
    """As `Matcher`: each request in its turn to the agent who fits and is idle for longest, then by agent_id.

    Who is busy on another channel, or with a part of his units, comes after all who are idle, the least busy first.
    An agent who let the request go gets it again only where nobody else could take it, and not before his time.
    """
    lines = Lines(workers, absent, policy.queue, now_us)
    choices: list[Choice] = []
    again: list[int] = []
    for request in sorted(waiting, key=lambda each: each.turn):
        if len(choices) == most:
            return Matched(tuple(choices), min(again, default=None), more=True)
        line = lines.of(request.shape)
        agent_id, due_us = _first(line, request, policy, now_us)
        if agent_id is not None:
            choices.append(_choice(lines, line, request, agent_id, policy, now_us))
        elif due_us is not None:
            again.append(due_us)
    return Matched(tuple(choices), min(again, default=None))


def _first(line: Line, request: Waiting, policy: Policy, now_us: int) -> tuple[str | None, int | None]:
    """Who gets it; where it is nobody, the clock's time at which somebody may be asked again."""
    if not request.avoid:
        return line.first(), None
    fresh = next((agent_id for agent_id in line.agents() if agent_id not in request.avoid), None)
    if fresh is not None:
        return fresh, None
    due = {agent_id: _due_us(request.avoid[agent_id], policy, now_us) for agent_id in line.agents()}
    ready = next((agent_id for agent_id, due_us in due.items() if due_us <= now_us), None)
    return ready, min(due.values(), default=None) if ready is None else None


def _due_us(until_us: int, policy: Policy, now_us: int) -> int:
    """Nobody is passed over for longer than the policy says: a time further off is of a clock that went wrong."""
    return until_us if until_us - now_us <= policy.reoffer_after_us else now_us


def _choice(lines: Lines, line: Line, request: Waiting, agent_id: str, policy: Policy, now_us: int) -> Choice:
    decision = _decision(line, request, agent_id, policy, now_us)
    unit = lines.take(agent_id, request.channel)
    return Choice(request.request_id, request.version, unit, lines.auto_accepts(agent_id), decision)


def _decision(line: Line, request: Waiting, chosen: str, policy: Policy, now_us: int) -> Decision:
    """The record of the choice, as things stood before the unit was taken."""
    avoided = request.avoid.keys() & set(line.agents()) if request.avoid else set[str]()
    again = chosen in avoided
    candidates, count = line.candidates(asked_before=avoided, again=again)
    excluded, counts = line.excluded([] if again else sorted(avoided))
    return Decision(
        decided_at=to_text(now_us),
        policy_version=policy.version,
        candidates=candidates,
        excluded=excluded,
        candidates_count=count,
        excluded_counts=counts,
    )
