"""What a benchmark states: its variants, the samples that they give, and the ratios that it claims.

A module of this package that has a `BENCH: Bench` is picked up by `python -m bench`. Each variant is a module-level
coroutine function `async def naive(ground: Ground) -> Sample`; it is run once per round in a fresh process, so that no
variant inherits another's heap, event loop or connections. It makes what it needs (`fresh_database`, topics under
`ground.topic_prefix`), warms up, then measures only the steady part:

    with Meter({"service": [os.getpid()], "postgres": ground.postgres_pids}) as meter:
        await work()
    return meter.sample(units=20_000, latencies_us=waits)
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import asyncpg

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Ground:
    """What a variant stands on: the real servers, names of its own, and how much to do.

    `postgres` is the URL of a superuser's database on a real server with fsync and synchronous_commit on; `kafka` the
    bootstrap servers of a real broker; `scale` multiplies the amount of work (1 for a measurement, less for a trial).
    """

    postgres: str
    kafka: str
    postgres_pids: tuple[int, ...]
    kafka_pids: tuple[int, ...]
    topic_prefix: str
    scale: float = 1.0

    def amount(self, full: int) -> int:
        """The number of units to do, of `full` at scale 1; at least 1."""
        return max(1, round(full * self.scale))


@dataclass(frozen=True, slots=True)
class Sample:
    """One variant's round: units done, wall time and CPU in seconds by part, latencies in µs where they were taken."""

    units: int
    wall_s: float
    cpu_s: Mapping[str, float]
    latencies_us: Sequence[int] = field(default=())
    extra: Mapping[str, float] = field(default_factory=dict)

    def figures(self) -> dict[str, float]:
        """The comparable numbers of this round, by name; `FIGURES` says what each means."""
        figures = {"per_s": self.units / self.wall_s}
        for part, seconds in self.cpu_s.items():
            used = max(seconds, 1 / TICKS_PER_S)
            figures[f"{part}_per_cpu_s"] = self.units / used
            figures[f"{part}_cpu_us"] = used * 1e6 / self.units
        if self.latencies_us:
            ordered = sorted(self.latencies_us)
            figures["p50_ms"] = nearest_rank(ordered, 50) / 1e3
            figures["p99_ms"] = nearest_rank(ordered, 99) / 1e3
        return figures | dict(self.extra)


Run = Callable[[Ground], Awaitable[Sample]]


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to do the work. `says` is a line on how it keeps the guarantees."""

    name: str
    says: str
    run: Run


@dataclass(frozen=True, slots=True)
class Claim:
    """`figure` of the product is at least `at_least` times better than that of the variant `against`.

    `of` names another variant than the product that the claim is about.
    """

    figure: str
    against: str
    at_least: float
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    """A question with its variants; the last variant is the product. `guarantees` hold for every variant alike.

    One without claims describes the product alone. `reading` says in words what its figures come to: it is given the
    medians by variant and the machine's number of cores.
    """

    name: str
    question: str
    unit: str
    guarantees: str
    variants: tuple[Variant, ...]
    claims: tuple[Claim, ...]
    figures: tuple[str, ...]
    rounds: int = 3
    reading: Callable[[Mapping[str, Mapping[str, float]], int], str] | None = None

    @property
    def product(self) -> Variant:
        """The variant that the claims are about."""
        return self.variants[-1]


def higher_is_better(figure: str) -> bool:
    """Rates grow when things get better; times (`…_us`, `…_ms`, `…_s` without `per`) shrink."""
    return figure == "per_s" or figure.endswith("_per_cpu_s")


def ratio(figure: str, product: float, other: float) -> float:
    """How many times better the product is; below 1 it is worse."""
    return product / other if higher_is_better(figure) else other / product


def median(values: Sequence[float]) -> float:
    """The median of a figure over the rounds."""
    return statistics.median(values)


def nearest_rank(ordered: Sequence[int], percent: int) -> int:
    """The nearest-rank percentile of an ascending sequence: a value that occurred."""
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]


class Meter:
    """Wall time and CPU (utime + stime from /proc, with all descendants, also reaped ones) between enter and exit."""

    def __init__(self, parts: Mapping[str, Sequence[int]]) -> None:
        self.parts = parts
        self.wall_s = 0.0
        self.cpu_s: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._cpu_before = {part: cpu_seconds(pids) for part, pids in self.parts.items()}
        self._began = time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.wall_s = time.perf_counter() - self._began
        self.cpu_s = {part: cpu_seconds(pids) - self._cpu_before[part] for part, pids in self.parts.items()}

    def sample(self, units: int, latencies_us: Sequence[int] = (), extra: Mapping[str, float] | None = None) -> Sample:
        """What was measured, for `units` done in between."""
        return Sample(units, self.wall_s, self.cpu_s, latencies_us, extra or {})


def cpu_seconds(roots: Sequence[int]) -> float:
    """CPU of the processes, their living descendants and what these have reaped, in seconds since each began.

    A parent's cutime and cstime hold its reaped children's whole trees, so nothing is counted twice or lost.
    """
    children = _children_by_parent()
    ticks, todo = 0, list(roots)
    while todo:
        pid = todo.pop()
        ticks += _ticks(pid)
        todo += children.get(pid, [])
    return ticks / TICKS_PER_S


def _children_by_parent() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    return children


def _ticks(pid: int) -> int:
    fields = _stat(pid)
    return sum(int(fields[n]) for n in (11, 12, 13, 14)) if fields else 0


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on (proc(5)); empty where the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()


@asynccontextmanager
async def fresh_database(ground: Ground, name: str) -> AsyncIterator[str]:
    """The URL of a new empty database on the ground's server, dropped at the end."""
    database = f"bench_{name}_{os.getpid()}"
    admin = await asyncpg.connect(ground.postgres)
    try:
        await admin.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        await admin.execute(f'CREATE DATABASE "{database}"')
        try:
            yield urlunsplit(urlsplit(ground.postgres)._replace(path=f"/{database}"))
        finally:
            await admin.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
    finally:
        await admin.close()
