"""Orders of different requests in one transaction, in which each is settled for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from chassis import idempotency
from chassis.clock import Clock
from chassis.commands import Use
from chassis.errors import InFlight, KeyReused, StaleTransaction
from chassis.holding import Hold, hold
from chassis.idempotency import Claim, First
from chassis.keyring import Keyring
from chassis.trace import current_traceparent
from events.codec import Sealer
from router.adapters.moving import Claims, apply, load, times_of
from router.app.moved import Applied
from router.app.ports import Settle
from router.domain.moves import Move, stamped
from router.domain.request import Request

# Settling is computing: whatever else this process has to do gets its turn in between.
_IN_ONE_GO: Final = 20
_AGENT: Final = "select exists (select 1 from agents where agent_id = $1)"

# After one of these the transaction is no more, whichever order it was that ran into it.
_OF_THE_TRANSACTION: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)

Sealers = Mapping[str, Sealer | None]


class KeyAway(Exception):
    """The customer's key, under which what was said must be sealed, has not come yet."""


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """One order; `words` says that somebody's own words are in it."""

    request_id: str
    use: Use | None
    settle: Settle
    words: bool
    traceparent: str | None = field(default_factory=current_traceparent)


Outcome = bytes | Exception | None
"""What became of an order: its answer, or its refusal; None where its request was not free."""


class _Unit:
    """`ports.RequestUnit`: what it is given to write is written with what the other orders are given."""

    def __init__(self, tx: asyncpg.Connection, request: Request | None) -> None:
        self._tx = tx
        self._request = request
        self.move: Move | None = None
        self.settled = False

    async def request(self) -> Request | None:
        """See `ports.RequestUnit`."""
        return self._request

    async def knows_agent(self, agent_id: str) -> bool:
        """See `ports.RequestUnit`."""
        return bool(await self._tx.fetchval(_AGENT, agent_id))

    async def apply(self, move: Move) -> Request:
        """See `ports.RequestUnit`."""
        self.move = move
        return stamped(move, times_of(move))


class Settling:
    """Settles orders inside a transaction."""

    def __init__(self, keyring: Keyring, clock: Clock) -> None:
        self._keyring = keyring
        self._clock = clock

    async def settle(
        self, tx: asyncpg.Connection, orders: Sequence[Order], *, waiting: bool
    ) -> tuple[list[Outcome], Applied | None]:
        """The outcome of each, and what was written; with `waiting`, which is for one alone, its request is waited for.

        Raises `StaleTransaction` where another replica was faster: run it again.
        """
        held = await hold(tx, [(each.request_id, each.use) for each in orders], waiting=waiting)
        ours = [order for order, place in zip(orders, held, strict=True) if place.held]
        requests = await load(tx, [order.request_id for order in ours]) if ours else {}
        spoken = {requests[each.request_id].key_id for each in ours if each.words and each.request_id in requests}
        sealers = await self._keyring.sealers(tx, spoken) if spoken else {}
        units = [_Unit(tx, requests.get(order.request_id)) for order in orders]
        outcomes: list[Outcome] = []
        for number, (order, place, unit) in enumerate(zip(orders, held, units, strict=True), 1):
            outcomes.append(await _outcome(order, place, unit, sealers))
            if number % _IN_ONE_GO == 0:
                await asyncio.sleep(0)
        return outcomes, await self._write(tx, orders, outcomes, units, sealers)

    async def _write(
        self,
        tx: asyncpg.Connection,
        orders: Sequence[Order],
        outcomes: Sequence[Outcome],
        units: Sequence[_Unit],
        sealers: Sealers,
    ) -> Applied | None:
        """All that was not refused: the moves, and the answers under their keys."""
        obeyed = [
            (order, outcome, unit)
            for order, outcome, unit in zip(orders, outcomes, units, strict=True)
            if isinstance(outcome, bytes) and unit.settled
        ]
        moves = [unit.move for *_, unit in obeyed if unit.move is not None]
        traceparents = {order.request_id: order.traceparent for order, *_ in obeyed}
        claims = [
            Claim(order.use.scope, order.use.key, order.use.hash, answer)
            for order, answer, _ in obeyed
            if order.use is not None
        ]
        now_us = self._clock.now_us()
        if moves:
            given = Claims(claims, now_us)
            return await apply(tx, moves, sealers=sealers, traceparents=traceparents, claims=given)
        if (await idempotency.claim(tx, claims, now_us=now_us)).first:
            raise StaleTransaction("a key was used by another replica at this moment")
        return None


async def _outcome(order: Order, place: Hold, unit: _Unit, sealers: Sealers) -> Outcome:
    if place.first is not None:
        return _again(order, place.first)
    if place.busy:
        return InFlight("A request with this key is being worked on: send it again in a moment.")
    if not place.held:
        return None
    request = await unit.request()
    if order.words and request is not None and request.key_id not in sealers:
        return KeyAway()
    try:
        answer = await order.settle(unit)
    except _OF_THE_TRANSACTION:
        raise
    except Exception as error:  # noqa: BLE001 - whatever refuses one order, a bug of ours too, is told to him alone
        return error
    unit.settled = True
    return answer


def _again(order: Order, first: First) -> Outcome:
    if order.use is not None and first.hash == order.use.hash:
        return first.answer
    return KeyReused("This Idempotency-Key stands for another body: send this one under a key of its own.")
