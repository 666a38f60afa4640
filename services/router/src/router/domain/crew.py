"""The agents whom a pass chooses from, as sets of bits: who fits a shape is found without looking at each of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator
from typing import Final

from events.agents import Presence
from router.domain.agents import AVAILABLE, OFFLINE
from router.domain.fitting import Shape, Worker

_PRESENCES: Final[tuple[Presence, ...]] = (OFFLINE, "away")


class Crew:
    """Workers in the order of their ids, which are the places of their bits in all sets given here."""

    def __init__(self, workers: Iterable[Worker], queue: str) -> None:
        """`queue` is whose pass it is: those of other queues are only there to be wanted by name."""
        self.queue = queue
        self.workers = sorted(workers, key=lambda each: each.agent_id)
        self._sets = _sets(self.workers, queue)
        self._fitting: dict[Shape, int] = {}
        self.place_of = {worker.agent_id: place for place, worker in enumerate(self.workers)}
        """Where each one's bit is."""

    @classmethod
    def of(cls, workers: Iterable[Worker], queue: str) -> Crew:
        """These workers; a crew of this queue as it is."""
        return workers if isinstance(workers, Crew) and workers.queue == queue else cls(workers, queue)

    def __iter__(self) -> Iterator[Worker]:
        return iter(self.workers)

    @property
    def told(self) -> int:
        """Those of the queue: records tell of no others."""
        return self._sets["queue"]

    def fitting(self, shape: Shape) -> int:
        """Who can have requests of this shape, whatever room he has: those of whom `fitting.unfit` is None."""
        if shape not in self._fitting:
            *_, (_, left) = self._steps(shape)
            self._fitting[shape] = left & self._sets["presence", AVAILABLE]
        return self._fitting[shape]

    def with_room(self, shape: Shape) -> Iterator[int]:
        """The places of those who fit and have a unit free on its channel."""
        return places(self.fitting(shape) & self._sets["free", shape.channel])

    def without_room(self, shape: Shape) -> Iterator[int]:
        """The places of those of the queue who fit and have none."""
        return places(self.fitting(shape) & ~self._sets["free", shape.channel] & self.told)

    def room(self, shape: Shape, most: int) -> int:
        """How many units are free for requests of this shape, counted up to `most`."""
        units = 0
        for place in self.with_room(shape):
            units += len(self.workers[place].free[shape.channel])
            if units >= most:
                return most
        return units

    def unfit(self, shape: Shape) -> Counter[str]:
        """How many of the queue cannot have it, by the reason that `fitting.unfit` gives."""
        left, counts = self.told, Counter[str]()
        for reason, passed in self._steps(shape):
            counts[reason] += (left & ~passed).bit_count()
            left &= passed
        for presence in _PRESENCES:
            counts[presence] += (left & self._sets["presence", presence]).bit_count()
        return +counts

    def _steps(self, shape: Shape) -> Iterator[tuple[str, int]]:
        """Each reason in its turn, with those whom neither it nor one before it keeps out."""
        sets = self._sets
        if shape.wanted_agent is not None:
            place = self.place_of.get(shape.wanted_agent)
            left = 0 if place is None else 1 << place
            yield "not_asked_for", left
            yield "channel", left & sets["channel", shape.channel]
            return
        yield "tier", (left := sets["queue"] & sets["tier", shape.tier])
        yield "channel", (left := left & sets["channel", shape.channel])
        for skill in shape.skills:
            left &= sets["skill", skill]
        yield "skills", left
        if shape.language is not None:
            left &= sets["language", shape.language] | sets["language", None]
        yield "language", left


def places(bits: int) -> Iterator[int]:
    """The places of the bits that are set, in their order."""
    for n, byte in enumerate(bits.to_bytes((bits.bit_length() + 7) // 8, "little")):
        left = byte
        while left:
            lowest = left & -left
            yield n * 8 + lowest.bit_length() - 1
            left ^= lowest


def _sets(workers: list[Worker], queue: str) -> defaultdict[Hashable, int]:
    """For each thing that is asked of an agent the set of those who have it."""
    size = (len(workers) + 7) // 8
    made: defaultdict[Hashable, bytearray] = defaultdict(lambda: bytearray(size))
    for place, worker in enumerate(workers):
        at, bit = place >> 3, 1 << (place & 7)
        for thing in _things(worker, queue):
            made[thing][at] |= bit
    return defaultdict(int, {thing: int.from_bytes(bits, "little") for thing, bits in made.items()})


def _things(worker: Worker, queue: str) -> Iterator[Hashable]:
    profile = worker.agent.profile
    if queue in profile.queues:
        yield "queue"
    yield "tier", profile.tier
    yield "presence", worker.agent.presence
    for channel, most in profile.channels.items():
        if most:
            yield "channel", channel
    for channel, units in worker.free.items():
        if units:
            yield "free", channel
    for skill in profile.skills:
        yield "skill", skill
    for language in profile.languages or (None,):
        yield "language", language
