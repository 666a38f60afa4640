"""The router's half that moves requests, on a real database and a clock that tests set, without HTTP and the log."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson

from chassis import migrations
from chassis.commands import Use
from chassis.database import Database
from chassis.dispatch import Dispatch
from chassis.facts import event_of
from chassis.ids import new_id
from chassis.key_table import KeyTable
from chassis.keyring import Keyring
from chassis.metrics import Metrics
from chassis.records import Record
from chassis.store import lock_streams, read_stream
from events.base import Fact
from events.catalogue import CATALOGUE
from events.codec import headers_of
from events.contacts import ContactReceived, Customer, Decision
from events.envelope import Envelope
from events.times import to_text
from router import consumers
from router.adapters.book import SqlBook, hold_agents
from router.adapters.moving import apply, load
from router.adapters.requests import SqlRequests
from router.app.following import Following
from router.app.moved import Applied
from router.app.orders import Orders
from router.domain.commands import Command
from router.domain.follow import INTAKE
from router.domain.moves import Move, offered
from router.domain.policies import Policy
from router.domain.request import SOURCE, Request, Unit
from router.gathering import Gathering
from tests.support.clocks import SetClock
from tests.support.told import MASTER_KEY, CustomerKey

Json = dict[str, Any]


class Routing:
    """Orders, consumers and moves over one database; `replica()` gives another process's view of it."""

    def __init__(self, db: Database, clock: SetClock) -> None:
        self.db = db
        self.clock = clock
        self.told: list[Applied] = []
        self.keyring = Keyring(MASTER_KEY, source=SOURCE, clock=clock)
        self.store = SqlRequests(db, self.keyring, clock, self.told.append)
        self.orders = Orders(self.store, clock)
        following = Following(clock, new_id, self.told.append)
        gathering = Gathering(following, SqlBook)
        handlers = consumers.handlers(following, SqlBook, gathering)
        self.dispatch = Dispatch(
            "router", handlers, source=SOURCE, metrics=Metrics(), streams=consumers.streams_of, clock=clock
        )
        self._handler = consumers.InOrder(self.dispatch, hold_agents, gathering)
        self._writer = db.writer()
        self._offsets = itertools.count()

    async def agent(self, agent_id: str, presence: str = "available", **channels: int) -> None:
        """An agent of the default queue with room on these channels, one call where none is named."""
        room = channels or {"voice": 1}
        async with self.db.transaction() as tx:
            await tx.execute(_AGENT, agent_id, orjson.dumps(room), presence)
            for channel, most in room.items():
                await tx.execute(_UNITS, agent_id, channel, most)

    async def take(self, *records: Record) -> None:
        """The records as one batch."""
        after = await self._writer.run(lambda tx: self._handler.handle(tx, list(records)))
        if after is not None:
            after()

    async def contact(self, request_id: str, *, at: int | None = None, **facts: Any) -> Request:
        """A request that begins."""
        said: Json = {"channel": "voice", "customer": Customer(id="c-1"), "customer_id": "c-1"}
        await self.take(self.record(ContactReceived(**said | facts), request_id, source=INTAKE, at=at))
        return await self.request(request_id)

    def record(
        self,
        fact: Fact,
        request_id: str,
        *,
        source: str,
        at: int | None = None,
        logged: int | None = None,
        event_id: str | None = None,
        sequence: int = 1,
    ) -> Record:
        """A fact as it lies in the log; its own time and the log's are the clock's where they are not given."""
        made, now_us = event_id or new_id(), self.clock.now_us()
        event = event_of(fact, event_id=made, source=source, key=request_id, occurred_us=at or now_us, key_id="c-1")
        envelope = Envelope(made, event.type, 1, source, request_id, at or now_us, request_id, sequence)
        kind, headers = CATALOGUE[event.type], tuple(headers_of(envelope))
        offset = next(self._offsets)
        return Record(kind.topic, 0, offset, logged or now_us, request_id.encode(), headers, event.payload)

    async def key(self, key_id: str = "c-1") -> None:
        """The customer's key, as it comes by the topic `keys`."""
        record = self.record(CustomerKey(key_id).fact(), key_id, source=INTAKE)
        async with self.db.transaction() as tx:
            await KeyTable(self.keyring).handle(tx, [record])

    async def order(self, request_id: str, command: Command, use: Use | None = None) -> Json:
        """The answer."""
        answer: Json = orjson.loads(await self.orders.carry_out(request_id, command, use))
        return answer

    async def offer(self, request_id: str, agent_id: str, n: int = 0) -> Applied:
        """An offer of a unit, as a pass makes it from what it read before."""
        return await self.apply(self.offering(await self.request(request_id), agent_id, n))

    def offering(self, request: Request, agent_id: str, n: int = 0) -> Move:
        """The move of an offer, on the default policy's terms."""
        now_us = self.clock.now_us()
        return offered(
            request,
            unit=Unit(agent_id, request.channel, n),
            decision=Decision(decided_at=to_text(now_us), policy_version=1, candidates=[], excluded=[]),
            policy=Policy(queue=request.standing.queue),
            auto_accept=False,
            ids=[new_id(), new_id()],
            clock_us=now_us,
        )

    async def apply(self, *moves: Move) -> Applied:
        """Writes moves in a transaction of their own."""
        async with self.db.transaction() as tx:
            await lock_streams(tx, [move.before.request_id for move in moves])
            return await apply(tx, moves)

    async def request(self, request_id: str) -> Request:
        async with self.db.connection() as connection:
            return (await load(connection, [request_id]))[request_id]

    async def events(self, request_id: str) -> list[tuple[str, int]]:
        """The type and time of each of the router's events on it."""
        async with self.db.connection() as connection:
            return [(event.type, event.occurred_us) for event in await read_stream(connection, request_id)]

    async def types(self, request_id: str) -> list[str]:
        return [type_ for type_, _ in await self.events(request_id)]

    async def units(self, agent_id: str) -> dict[tuple[str, int], tuple[str | None, int]]:
        """Holder and the time when it was freed last, of each of the agent's units."""
        rows = await self.rows("select channel, n, holder, freed_us from units where agent_id = $1", agent_id)
        return {(row["channel"], row["n"]): (row["holder"], row["freed_us"]) for row in rows}

    async def somebody_waits(self) -> bool:
        """Whether a session of this database waits for a lock at this moment."""
        return bool((await self.rows(_WAITS))[0]["count"])

    async def rows(self, query: str, *arguments: Any) -> list[Mapping[str, Any]]:
        async with self.db.connection() as connection:
            return [dict(row) for row in await connection.fetch(query, *arguments)]


_WAITS = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
_AGENT = """
insert into agents (agent_id, name, queues, tier, skills, languages, channels, auto_accept, version, presence,
                    presence_us, idle_since_us)
values ($1, $1, '{default}', 1, '{}', '{}', $2, false, 1, $3, 0, 0)
"""
_UNITS = "insert into units (agent_id, channel, n) select $1, $2, n from generate_series(0, $3::int - 1) n"


@asynccontextmanager
async def routing(dsn: str, clock: SetClock | None = None) -> AsyncIterator[Routing]:
    """Router's schema in an empty database, and what moves requests on it."""
    await migrations.migrate(dsn, "router")
    db = Database(dsn, name="tests", by_index=True)
    await db.open()
    try:
        yield Routing(db, clock or SetClock())
    finally:
        await db.close()


async def locked(dsn: str, request_id: str) -> asyncpg.Connection:
    """A session in a transaction that holds this request, as another process would."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("begin")
    await lock_streams(connection, [request_id])
    return connection
