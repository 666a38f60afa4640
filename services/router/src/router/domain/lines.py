"""Lines of agents: for each shape of request who could take it now, whose turn it is, and why the others cannot."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

from events.contacts.routing import MAX_LISTED, Candidate, Excluded
from router.domain.crew import Crew, places
from router.domain.fitting import Absent, Shape, Worker, unfit
from router.domain.request import Unit

Place: TypeAlias = tuple[int, int, str]


class _Seat:
    """An agent during one pass: what he has left, and how he stands among the others."""

    __slots__ = ("_candidate", "agent_id", "auto_accept", "free", "held", "since_us", "worker")

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.agent_id = worker.agent_id
        self.auto_accept = worker.agent.profile.auto_accept
        self.free = {channel: list(units) for channel, units in worker.free.items()}
        self.held = worker.held
        self.since_us = worker.idle_since_us
        self._candidate: Candidate | None = None

    def candidate(self, now_us: int) -> Candidate:
        """How well he stands: for how many seconds he has been idle, or less than 0: how many requests he has.

        Kept from decision to decision until he takes something: making one costs more than the choice itself.
        """
        if self._candidate is None:
            score = -float(self.held) if self.held else max(0, now_us - self.since_us) / 1e6
            self._candidate = Candidate(agent_id=self.agent_id, score=score)
        return self._candidate

    def take(self, channel: str, now_us: int) -> int:
        """The number of his next unit on the channel, which he has from now on."""
        self.held, self.since_us = self.held + 1, max(self.since_us, now_us)
        self._candidate = None
        return self.free[channel].pop(0)

    @property
    def place(self) -> Place:
        """Who has less goes first, so the idle before all others; then who had nothing to do for longest."""
        return self.held, self.since_us, self.agent_id


class _Absentees:
    """Who can have nothing, as every record of a pass tells it."""

    def __init__(self, absent: Absent) -> None:
        self.counts = Counter(absent.counts)
        self.listed = [Excluded(agent_id=agent_id, reason=reason) for agent_id, reason in absent.listed]


class _Seats:
    """The agents of one pass; a seat is made for those alone who are told of or take something."""

    def __init__(self, crew: Crew, now_us: int) -> None:
        self.crew = crew
        self._now_us = now_us
        self._made: dict[str, _Seat] = {}

    def of(self, agent_id: str) -> _Seat:
        """His seat."""
        if agent_id not in self._made:
            self._made[agent_id] = _Seat(self.crew.workers[self.crew.place_of[agent_id]])
        return self._made[agent_id]

    def candidate(self, agent_id: str) -> Candidate:
        """How well he stands now."""
        return self.of(agent_id).candidate(self._now_us)

    def standing(self, shape: Shape) -> tuple[list[Place], list[str]]:
        """Who fits: those with room in their turn, and those of the queue without, by their ids."""
        order: list[Place] = []
        full = [self.crew.workers[place].agent_id for place in self.crew.without_room(shape)]
        for place in self.crew.with_room(shape):
            worker = self.crew.workers[place]
            seat = self._made.get(worker.agent_id)
            if seat is None:
                order.append((worker.held, worker.idle_since_us, worker.agent_id))
            elif seat.free[shape.channel]:
                order.append(seat.place)
            elif self.crew.told >> place & 1:
                insort(full, worker.agent_id)
        return sorted(order), full

    def unfit(self, shape: Shape) -> list[Excluded]:
        """The first of the queue who do not fit, with the reasons."""
        kept_out = islice(places(self.crew.told & ~self.crew.fitting(shape)), MAX_LISTED)
        agents = [self.crew.workers[place].agent for place in kept_out]
        reasons = [(agent.agent_id, unfit(shape, agent, self.crew.queue)) for agent in agents]
        return [Excluded(agent_id=agent_id, reason=reason) for agent_id, reason in reasons if reason is not None]


class Line:
    """The agents for requests of one shape. Only those of the queue are told among the excluded."""

    def __init__(self, shape: Shape, seats: _Seats, absent: _Absentees) -> None:
        self._seats = seats
        self._absent = absent
        self._channel = shape.channel
        self._order, self._full = seats.standing(shape)
        self._unfit = seats.unfit(shape)
        self._counts = seats.crew.unfit(shape) + absent.counts

    def first(self) -> str | None:
        """Whose turn it is."""
        return self._order[0][2] if self._order else None

    def agents(self) -> Iterator[str]:
        """All who could take a request now, in their turn."""
        return (agent_id for _, _, agent_id in self._order)

    def candidates(self, *, asked_before: Collection[str], again: bool) -> tuple[list[Candidate], int]:
        """The first `MAX_LISTED` who could take it, and how many there are: `again` of those asked before, or of all
        others."""
        if not asked_before:
            listed = [agent_id for _, _, agent_id in self._order[:MAX_LISTED]]
            return [self._seats.candidate(agent_id) for agent_id in listed], len(self._order)
        those = [agent_id for agent_id in self.agents() if (agent_id in asked_before) is again]
        return [self._seats.candidate(agent_id) for agent_id in those[:MAX_LISTED]], len(those)

    def excluded(self, passed: Sequence[str]) -> tuple[list[Excluded], dict[str, int]]:
        """The first `MAX_LISTED` who cannot have it, each with the reason, and how many there are by reason.

        `passed` are those who were asked before.
        """
        listed = self._unfit.copy()
        listed += [Excluded(agent_id=who, reason="full") for who in self._full[: MAX_LISTED - len(listed)]]
        listed += [Excluded(agent_id=who, reason="asked_before") for who in passed[: MAX_LISTED - len(listed)]]
        listed += self._absent.listed[: MAX_LISTED - len(listed)]
        return listed, dict(self._counts + Counter({"full": len(self._full), "asked_before": len(passed)}))

    def move(self, was: Place, seat: _Seat) -> None:
        """An agent has taken something: he stands elsewhere from now on, or has no room any more."""
        at = bisect_left(self._order, was)
        if at == len(self._order) or self._order[at] != was:
            return
        del self._order[at]
        if seat.free.get(self._channel):
            insort(self._order, seat.place)
        else:
            insort(self._full, seat.agent_id)


class Lines:
    """All lines of one pass over the same agents: who takes a unit moves in each of them."""

    def __init__(self, workers: Iterable[Worker], absent: Absent, queue: str, now_us: int) -> None:
        self._seats = _Seats(Crew.of(workers, queue), now_us)
        self._absent = _Absentees(absent)
        self._now_us = now_us
        self._lines: dict[Shape, Line] = {}

    def of(self, shape: Shape) -> Line:
        """The line for requests of this shape."""
        if shape not in self._lines:
            self._lines[shape] = Line(shape, self._seats, self._absent)
        return self._lines[shape]

    def take(self, agent_id: str, channel: str) -> Unit:
        """The agent takes his next unit on the channel and goes to the end of those who have as much as he has now."""
        seat = self._seats.of(agent_id)
        was = seat.place
        unit = Unit(agent_id, channel, seat.take(channel, self._now_us))
        for line in self._lines.values():
            line.move(was, seat)
        return unit

    def auto_accepts(self, agent_id: str) -> bool:
        """Whether he is connected without being asked."""
        return self._seats.of(agent_id).auto_accept
