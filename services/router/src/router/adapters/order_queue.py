"""Orders that come while others are being written are written together next, each answered for itself."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from chassis.database import Database, is_data_error
from chassis.errors import InFlight, StaleTransaction
from chassis.keyed import committed
from router.adapters.ordering import Order, Outcome, Settling
from router.app.moved import Applied

MOST: Final = 200
"""How many orders one transaction carries out at most."""

_SHARED_S: Final = 1.0
"""For so long a repeat waits for the answer of the order that is under way already."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    order: Order
    answer: asyncio.Future[bytes]


class OrderQueue:
    """One transaction after another, each with all the orders that have come, one a request.

    An order never waits for a request that another transaction holds while others wait behind it: it goes on by itself,
    as do all of a transaction that did not come about. Its process needs no task of its own: who comes first begins.
    """

    def __init__(self, db: Database, settling: Settling, told: Callable[[Applied], None]) -> None:
        """`told` hears of each commit."""
        self._db = db
        self._settling = settling
        self._told = told
        self._waiting: deque[_Waiter] = deque()
        self._keys: dict[tuple[str, str], _Waiter] = {}
        self._writer: asyncio.Task[None] | None = None
        self._alone: set[asyncio.Task[None]] = set()

    async def settled(self, order: Order) -> bytes:
        """Its answer, once it is committed. Raises its refusal, `InFlight`, `KeyAway`, `Unavailable`.

        Whoever does not wait for it leaves it to be carried out all the same; sent again, it tells what came of it.
        """
        first = self._first(order)
        if first is not None:
            return await _shared(first)
        waiter = _Waiter(order, asyncio.get_running_loop().create_future())
        if order.use is not None:
            self._keys[order.use.scope, order.use.key] = waiter
        self._waiting.append(waiter)
        if self._writer is None:
            self._writer = asyncio.create_task(self._db.finished(self._write_all()))
        return await asyncio.shield(waiter.answer)

    def _first(self, order: Order) -> _Waiter | None:
        """Who came with this key before and is not answered yet."""
        first = None if order.use is None else self._keys.get((order.use.scope, order.use.key))
        if first is not None and first.order.use != order.use:
            raise _in_flight()
        return first

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                await self._write(self._next())
        finally:
            self._writer = None

    def _next(self) -> list[_Waiter]:
        """The first of each request, in the order in which they came."""
        batch: dict[str, _Waiter] = {}
        left: deque[_Waiter] = deque()
        for waiter in self._waiting:
            request_id = waiter.order.request_id
            if len(batch) < MOST and request_id not in batch:
                batch[request_id] = waiter
            else:
                left.append(waiter)
        self._waiting = left
        return list(batch.values())

    async def _write(self, batch: Sequence[_Waiter]) -> None:
        outcomes: Sequence[Outcome]
        try:
            outcomes = await self._together([waiter.order for waiter in batch])
        except Exception as error:  # noqa: BLE001 - each waiter gets the error, whatever it is, and the writer lives on
            outcomes = [None if _may_do_alone(error) else error] * len(batch)
        for waiter, outcome in zip(batch, outcomes, strict=True):
            if outcome is None:
                task = asyncio.create_task(self._db.finished(self._by_itself(waiter)))
                self._alone.add(task)
                task.add_done_callback(self._alone.discard)
            else:
                self._answer(waiter, outcome)

    async def _together(self, orders: Sequence[Order]) -> Sequence[Outcome]:
        outcomes, applied = await self._db.run(lambda tx: self._settling.settle(tx, orders, waiting=False))
        if applied is not None:
            self._told(applied)
        return outcomes

    async def _by_itself(self, waiter: _Waiter) -> None:
        try:
            (outcome,), applied = await committed(
                self._db, lambda tx: self._settling.settle(tx, [waiter.order], waiting=True)
            )
        except Exception as error:  # noqa: BLE001 - as above
            self._answer(waiter, error)
            return
        if applied is not None:
            self._told(applied)
        self._answer(waiter, outcome)

    def _answer(self, waiter: _Waiter, outcome: Outcome) -> None:
        """Its key is given back before: whoever sends it again at once must not find himself in flight."""
        use = waiter.order.use
        if use is not None:
            self._keys.pop((use.scope, use.key), None)
        if isinstance(outcome, bytes):
            waiter.answer.set_result(outcome)
        else:
            waiter.answer.set_exception(outcome or RuntimeError("an order that waits for its request must have it"))
            waiter.answer.exception()  # a caller who went away never asks: that is no error worth a warning


async def _shared(first: _Waiter) -> bytes:
    """The same answer. A process that stood still finds what was sent and sent again beside one another."""
    try:
        async with asyncio.timeout(_SHARED_S):
            return await asyncio.shield(first.answer)
    except TimeoutError:
        raise _in_flight() from None


def _in_flight() -> InFlight:
    return InFlight("A request with this key is being worked on: send it again in a moment.")


def _may_do_alone(error: Exception) -> bool:
    """Whether it is one order's fault, or another transaction was in the way: then nothing was written."""
    undone = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
    return isinstance(error, StaleTransaction) or is_data_error(error) or isinstance(error.__cause__, undone)
