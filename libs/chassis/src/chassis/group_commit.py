"""Group commit: what arrives while a batch is being written forms the next one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from time import monotonic
from typing import Final, Generic, TypeVar

import asyncpg
import structlog

from chassis.database import is_data_error
from chassis.errors import ChassisError, Invalid, Overloaded, StaleTransaction, Transient, Unavailable

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_ATTEMPTS: Final = 3
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Waiter(Generic[Item, Answer]):
    item: Item
    answer: asyncio.Future[Answer]
    since: float


class GroupCommit(Generic[Item, Answer]):
    """One writer task; `write` puts a batch into one transaction and answers each item, in order.

    An answer that is an exception is raised to that item's waiter alone; an exception raised by `write` goes to all of
    the batch: errors of the database as `Unavailable`. `release(item)` is called for every item of a batch, answered or
    failed, before any of its waiters wakes: a caller who retries at once must not find his own key in flight. A data
    error makes `write` run again with each item alone, so that only the one at fault is refused.
    """

    def __init__(
        self,
        write: Callable[[list[Item]], Awaitable[Sequence[Answer | Exception]]],
        *,
        release: Callable[[Item], object] | None = None,
        weigh: Callable[[Item], int] | None = None,
        most: int = 512,
        most_weight: int = 8 << 20,
        patience_s: float = 1.0,
    ) -> None:
        """At most `most` items a batch, and where `weigh` gives their sizes `most_weight` in all, or a single one.

        Above `patience_s` of waiting by the oldest, newcomers are refused.
        """
        self._write = write
        self._release = release
        self._weigh = weigh
        self._most = most
        self._most_weight = most_weight
        self._patience_s = patience_s
        self._waiting: deque[_Waiter[Item, Answer]] = deque()
        self._writing: list[_Waiter[Item, Answer]] = []
        self._arrived = asyncio.Event()
        self._stopped = False

    async def run(self) -> None:
        """The writer: runs until `stop()`, then writes what waits and ends."""
        try:
            while self._waiting or not self._stopped:
                await self._arrived.wait()
                self._arrived.clear()
                while self._waiting:
                    await self._next_batch()
        finally:
            self._stopped = True
            self._fail_all(Unavailable("The service is stopping: retry with the same key."))

    def stop(self) -> None:
        """Takes nothing more; `run` ends when all that waits is written."""
        self._stopped = True
        self._arrived.set()

    async def submit(self, item: Item) -> Answer:
        """The item's answer once its batch is committed.

        Raises `Overloaded` where the oldest waiter has waited too long, `Unavailable` after `stop` (`release` is called
        in neither case), and whatever `write` answered. A cancelled caller's item is written all the same.
        """
        if self._stopped:
            raise Unavailable("The service is stopping: retry with the same key.")
        if self.oldest_wait_s > self._patience_s:
            raise Overloaded(retry_after_s=1)
        waiter: _Waiter[Item, Answer] = _Waiter(item, asyncio.get_running_loop().create_future(), monotonic())
        self._waiting.append(waiter)
        self._arrived.set()
        # The writer's future is not the caller's: a caller who goes away cancels his own wait only.
        return await asyncio.shield(waiter.answer)

    @property
    def oldest_wait_s(self) -> float:
        """For how long the oldest one has waited, in seconds; 0 when nobody waits."""
        oldest = self._writing[0] if self._writing else self._waiting[0] if self._waiting else None
        return 0.0 if oldest is None else monotonic() - oldest.since

    async def _next_batch(self) -> None:
        self._writing = [self._waiting.popleft() for _ in range(self._fitting())]
        answers = await self._answers([waiter.item for waiter in self._writing])
        batch, self._writing = self._writing, []
        self._release_all(batch)
        for waiter, answer in zip(batch, answers, strict=True):
            _resolve(waiter.answer, answer)

    def _fitting(self) -> int:
        """How many of those who wait make the next batch: a transaction must end within its deadline."""
        count = min(self._most, len(self._waiting))
        if self._weigh is None:
            return count
        weights = accumulate(self._weigh(waiter.item) for waiter in islice(self._waiting, count))
        return max(1, sum(1 for weight in weights if weight <= self._most_weight))

    async def _answers(self, items: list[Item]) -> Sequence[Answer | Exception]:
        """One answer an item, whatever happens."""
        try:
            return await self._written(items)
        except Exception as error:  # noqa: BLE001 - each waiter gets the error, whatever it is, and the writer lives on
            if not is_data_error(error):
                return [_for_waiter(error)] * len(items)
            if len(items) == 1:
                return [_refusal(error)]
        return [answer for item in items for answer in await self._answers([item])]

    async def _written(self, items: list[Item]) -> Sequence[Answer | Exception]:
        for _ in range(_ATTEMPTS - 1):
            try:
                return _checked(await self._write(items), items)
            except StaleTransaction:
                continue
        return _checked(await self._write(items), items)

    def _release_all(self, batch: Sequence[_Waiter[Item, Answer]]) -> None:
        if self._release is not None:
            for waiter in batch:
                self._release(waiter.item)

    def _fail_all(self, error: Exception) -> None:
        left = [*self._writing, *self._waiting]
        self._writing = []
        self._waiting.clear()
        self._release_all(left)
        for waiter in left:
            _resolve(waiter.answer, error)


def _resolve(future: "asyncio.Future[Answer]", answer: Answer | Exception) -> None:
    if isinstance(answer, Exception):
        future.set_exception(answer)
        future.exception()  # A caller who went away never asks: that is no error worth a warning.
    else:
        future.set_result(answer)


def _refusal(error: Exception) -> Exception:
    """Of a row at fault: a value that cannot be stored is the caller's (SQLSTATE 22), a broken constraint is ours."""
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        _log.error("group_commit_failed", exc_info=error)
        return error
    refused = Invalid([{"field": "", "reason": "holds a value that cannot be stored"}])
    refused.__cause__ = error
    return refused


def _for_waiter(error: Exception) -> Exception:
    if isinstance(error, Transient) and not isinstance(error, Unavailable):
        return Unavailable("It could not be written at this moment: retry with the same key.")
    if not isinstance(error, ChassisError):
        _log.error("group_commit_failed", exc_info=error)
    return error


def _checked(answers: Sequence[Answer | Exception], items: Sequence[Item]) -> Sequence[Answer | Exception]:
    if len(answers) != len(items):
        raise RuntimeError(f"{len(answers)} answers for {len(items)} items")
    return answers
