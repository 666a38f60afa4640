"""The processes that share a rebuild's work: this one, and as many more as there are cores for."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from audit.rebuild.means import Terms
from audit.rebuild.messages import Line
from audit.rebuild.reading import Done, Share
from chassis.errors import Transient

_ENDING_S: Final = 5.0


class WorkerFailed(Transient):
    """One of the processes could not do its part, or died: run the rebuild again, it goes on where it was."""


class Worker(Protocol):
    """Whoever does a part of the work: `Reading`, here or in another process."""

    async def read(self, share: Share, done: Done) -> bool:
        """See Reading."""
        ...

    async def fold(self, number: int, of: int, done: Done) -> None:
        """See Reading."""
        ...


class Elsewhere:
    """A worker in a process of its own, which ends when this one does, however that may be."""

    def __init__(self, process: Process, line: Line) -> None:
        self._process = process
        self._line = line

    @classmethod
    async def started(cls, terms: Terms, number: int) -> "Elsewhere":
        """Starts it; it answers when it has loaded what it needs."""
        ours, its = socket.socketpair()
        with its:
            # In a session of its own it hears no Ctrl-C: what ends it is the end of its socket.
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "audit.rebuild.worker", str(its.fileno())),
                pass_fds=[its.fileno()],
                stdin=DEVNULL,
                stdout=sys.stderr.fileno(),
                start_new_session=True,
            )
        line = await Line.over(ours)
        line.tell(terms, number)
        return cls(process, line)

    async def read(self, share: Share, done: Done) -> bool:
        """See Worker."""
        return bool(await self._answer(("read", share), done))

    async def fold(self, number: int, of: int, done: Done) -> None:
        """See Worker."""
        await self._answer(("fold", number, of), done)

    async def end(self) -> None:
        """Ends the process, in a few seconds at the latest."""
        self._line.close()
        try:
            await asyncio.wait_for(self._process.wait(), _ENDING_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def _answer(self, order: tuple[Any, ...], done: Done) -> Any:
        self._line.tell(*order)
        while True:
            try:
                kind, *said = await self._line.hear()
            except EOFError as error:
                code = await self._process.wait()
                raise WorkerFailed(f"a worker process ended with {code}; {_AGAIN}") from error
            if kind == "over":
                return said[0]
            if kind == "failed":
                raise WorkerFailed(f"a worker process could not go on: {said[0]}; {_AGAIN}")
            done(said[0])


class Crew:
    """All workers. What one of them raises ends the work of all."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._workers = workers

    async def read(self, shares: Iterable[Share], done: Done) -> bool:
        """Reads all of these, the longest first; whether each request has its summary then."""
        left = deque(sorted(shares, key=lambda share: share.place - share.bound))
        # One is kept for each: a process that has only been started is not left without.
        firsts = [left.popleft() if left else None for _ in self._workers]
        whole: list[bool] = []

        async def some(worker: Worker, share: Share | None) -> None:
            while share is not None:
                whole.append(await worker.read(share, done))
                share = left.popleft() if left else None

        await _together(some(worker, first) for worker, first in zip(self._workers, firsts, strict=True))
        return all(whole)

    async def fold(self, done: Done) -> None:
        """Folds what has no summary yet."""
        of = len(self._workers)
        await _together(worker.fold(number, of, done) for number, worker in enumerate(self._workers))


@asynccontextmanager
async def crew(here: Worker, count: int, terms: Terms) -> AsyncIterator[Crew]:
    """This process and `count - 1` others, until the end of the block."""
    async with AsyncExitStack() as stack:
        workers: list[Worker] = [here]
        for number in range(1, count):
            other = await Elsewhere.started(terms, number)
            stack.push_async_callback(other.end)
            workers.append(other)
        yield Crew(workers)


def usual_count(partitions: int) -> int:
    """As many workers as this process may use cores, and no more than partitions."""
    return max(1, min(_cores(), partitions))


def _cores() -> int:
    """By its affinity, and by the quota of its control group: a pod sees all cores of its node."""
    cores = len(os.sched_getaffinity(0))
    with suppress(OSError, ValueError):  # no such group, or "max": no quota
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        cores = min(cores, max(1, int(quota) // int(period)))
    return cores


async def _together(works: Iterable[Awaitable[None]]) -> None:
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


_AGAIN: Final = "run the rebuild again, it goes on where it was"
