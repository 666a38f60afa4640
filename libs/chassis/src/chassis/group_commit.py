"""Group commit: what arrives while a batch is being written forms the next one."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class GroupCommit(Generic[Item, Answer]):
    """One writer task; `write` puts a batch into one transaction and answers each item, in order.

    An answer that is an exception is raised to that item's waiter alone; an exception raised by `write` goes to all of
    the batch: errors of the database as `Unavailable`. `release(item)` is called for every item of a batch, answered or
    failed, before any of its waiters wakes: a caller who retries at once must not find his own key in flight. A data
    error makes `write` run again with each item alone, so that only the one at fault is refused.
    """

    def __init__(
        self,
        write: Callable[[list[Item]], Awaitable[list[Answer | Exception]]],
        *,
        release: Callable[[Item], None] | None = None,
        most: int = 512,
        patience_s: float = 1.0,
    ) -> None:
        """`most` items a batch; above `patience_s` of waiting by the oldest, newcomers are refused."""
        raise NotImplementedError

    async def run(self) -> None:
        """The writer: runs until `stop()`, then writes what waits and ends."""
        raise NotImplementedError

    def stop(self) -> None:
        """Takes nothing more; `run` ends when all that waits is written."""
        raise NotImplementedError

    async def submit(self, item: Item) -> Answer:
        """The item's answer once its batch is committed.

        Raises `Overloaded` where the oldest waiter has waited too long (`release` is not called for this item), and
        whatever `write` answered. A cancelled caller's item is written all the same.
        """
        raise NotImplementedError

    @property
    def oldest_wait_s(self) -> float:
        """For how long the oldest one has waited, in seconds; 0 when nobody waits."""
        raise NotImplementedError
