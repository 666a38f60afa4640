"""Moves, written: units of capacity, events, requests, set-based and in one transaction.

The order of locks: the streams of all requests first (`store.lock_streams`, before anything else in the transaction),
then the agents whose units are taken or freed, in the order of their ids. A unit is touched under its agent's lock
alone, so units need no order of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
import orjson

from chassis import idempotency, placed
from chassis.errors import StaleTransaction
from chassis.facts import event_of
from chassis.idempotency import Claim
from chassis.store import Append, Appended, NewEvent
from events.codec import Sealer
from router.adapters import moving_sql
from router.adapters.rows import members_of, request_of
from router.app.moved import Applied
from router.domain.moves import Move, stamped
from router.domain.request import SOURCE, Request

MOST: Final = 200
"""How many moves one transaction makes at most."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What was answered under idempotency keys, and when."""

    claims: Sequence[Claim]
    now_us: int


NO_CLAIMS: Final = Claims((), 0)


async def load(tx: asyncpg.Connection, request_ids: Iterable[str]) -> dict[str, Request]:
    """These requests as they stand, as far as they are known. Hold their streams before."""
    return {row["request_id"]: request_of(row) for row in await tx.fetch(moving_sql.LOAD, list(request_ids))}


async def apply(
    tx: asyncpg.Connection,
    moves: Sequence[Move],
    *,
    sealers: Mapping[str, Sealer | None] | None = None,
    traceparents: Mapping[str, str | None] | None = None,
    held: bool = False,
    claims: Claims = NO_CLAIMS,
) -> Applied:
    """Writes these moves of different requests, `MOST` at most, whose streams the transaction holds.

    A move that takes a unit may rest on a request that was read before the locks: where it has moved, or the unit is
    not to be had, it is `lost`. Any other must rest on what was read under the locks: StaleTransaction where it does
    not. An event with personal members needs its customer's sealer, by key id (None: the key is destroyed, they are
    left out). The events occur at the greatest of the clock's reading, the move's floor, and 1 µs after the last known
    event of the request and after the moment its unit was freed; `traceparents` are by request. With `held` the
    transaction holds the agents already. `claims` are written with the moves; StaleTransaction where one is not won.
    """
    taking = [move for move in moves if move.takes is not None]
    if taking and not held:
        await tx.execute(moving_sql.HOLD, list(_agents(moves)))
    after_us = await _take(tx, taking)
    made = [move for move in moves if move.takes is None or move.before.request_id in after_us]
    lost = frozenset(move.before.request_id for move in moves) - {move.before.request_id for move in made}
    appends = [
        _append(each, after_us.get(each.before.request_id, 0), sealers or {}, traceparents or {}) for each in made
    ]
    done = [
        stamped(move, [event.occurred_us for event in item.events]) for move, item in zip(made, appends, strict=True)
    ]
    agents = set() if taking or held else _agents(made)
    appended, freed = (
        await _write(tx, made, appends, done, agents, claims) if made else (placed.appended([], ()), set[str]())
    )
    return _applied(made, done, lost, appended, freed)


async def _write(
    tx: asyncpg.Connection,
    made: Sequence[Move],
    appends: Sequence[Append],
    done: Sequence[Request],
    agents: set[str],
    claims: Claims,
) -> tuple[Appended, set[str]]:
    """Holds these agents and writes all; what was appended, and the queues of the agents who have room now."""
    freeing = [(move.before.standing.agent_id, after) for move, after in zip(made, done, strict=True) if move.frees]
    row = await tx.fetchrow(
        moving_sql.WRITE,
        *placed.arguments(appends),
        list(agents),
        orjson.dumps([members_of(request) for request in done]),
        [after.request_id for _, after in freeing],
        [after.last_us for _, after in freeing],
        [agent_id for agent_id, _ in freeing],
        *idempotency.arguments(claims.claims, now_us=claims.now_us),
    )
    assert row is not None
    if row["claimed"] < len(claims.claims):
        raise StaleTransaction("a key was used by another replica at this moment")
    return placed.appended(appends, row["stood"]), set(row["freed"])


def _agents(moves: Iterable[Move]) -> set[str]:
    """All whose units these moves touch."""
    return {agent_id for move in moves for agent_id in _agents_touched(move)}


def _agents_touched(move: Move) -> Iterable[str]:
    if move.takes is not None:
        yield move.takes.agent_id
    if move.frees and move.before.standing.agent_id is not None:
        yield move.before.standing.agent_id


async def _take(tx: asyncpg.Connection, moves: Sequence[Move]) -> dict[str, int]:
    """Who got his unit, and after which moment his events must be."""
    if not moves:
        return {}
    rows = [
        (move.takes.agent_id, move.takes.channel, move.takes.n, move.before.request_id, move.before.version)
        for move in moves
        if move.takes is not None
    ]
    taken = await tx.fetch(moving_sql.TAKE, *map(list, zip(*rows, strict=True)))
    return {row["request_id"]: row["after_us"] for row in taken}


def times_of(move: Move, *, after_us: int = 0) -> list[int]:
    """When its events occur, in µs since 1970; a unit that it takes was freed at `after_us`."""
    first_us = max(move.clock_us, move.floor_us, move.before.last_us + 1, after_us + 1)
    return [first_us + n for n in range(len(move.steps))]


def _append(
    move: Move, after_us: int, sealers: Mapping[str, Sealer | None], traceparents: Mapping[str, str | None]
) -> Append:
    request = move.before
    seal = _Seal(request.key_id, sealers[request.key_id]) if request.key_id in sealers else _Seal(None, None)
    traceparent = traceparents.get(request.request_id)
    times = enumerate(times_of(move, after_us=after_us))
    events = [_event(move, n, occurred_us, seal, traceparent) for n, occurred_us in times]
    return Append(request.request_id, request.version, tuple(events))


@dataclass(frozen=True, slots=True)
class _Seal:
    key_id: str | None
    sealer: Sealer | None


def _event(move: Move, n: int, occurred_us: int, seal: _Seal, traceparent: str | None) -> NewEvent:
    step = move.steps[n]
    return event_of(
        step.fact,
        event_id=step.event_id,
        source=SOURCE,
        key=move.before.request_id,
        occurred_us=occurred_us,
        clock_us=None if occurred_us == move.clock_us else move.clock_us,
        causation_id=step.causation_id,
        traceparent=traceparent,
        key_id=seal.key_id,
        sealer=seal.sealer,
    )


def _applied(
    made: Sequence[Move], done: Sequence[Request], lost: frozenset[str], appended: Appended, freed: set[str]
) -> Applied:
    waiting = {request.standing.queue for request in done if request.standing.state == "waiting"}
    standings = [standing for move in made for standing in (move.before.standing, move.after.standing)]
    agents = frozenset(standing.agent_id for standing in standings if standing.agent_id is not None)
    return Applied(
        {request.request_id: request for request in done}, lost, appended, frozenset(freed | waiting), agents
    )
