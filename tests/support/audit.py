"""Audit for tests: its ingest alone on a database, its application in this process, or as processes of their own."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from aiokafka.producer.producer import AIOKafkaProducer

from audit.adapters.kept import SqlKept
from audit.adapters.schema import LIVE
from audit.app.ingest import Ingest
from audit.main import build
from audit.rebuild.command import run
from audit.settings import AuditSettings
from chassis import kafka, migrations
from chassis.database import Database
from chassis.records import Record
from chassis.topics import Topics
from events.catalogue import partition_of
from local_stack.ports import free
from tests.support.until import until

Json = dict[str, Any]
TOKEN = "only-in-tests-a0d1"
MASTER_KEY = bytes(range(32))
NO_KAFKA = "127.0.0.1:1"
REQUESTS = "select * from projection.requests order by request_id"
RECORDS = 'select * from projection.records order by topic, partition, "offset"'


def headers_for(token: str = TOKEN) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


class Intaking:
    """The ingest alone, as the consumer drives it: one transaction for each batch, offsets moved with it."""

    def __init__(self, db: Database, *, most_events: int = 10_000) -> None:
        self.db = db
        self._writer = db.writer()
        self.ingest = Ingest(SqlKept(LIVE), most_events=most_events)

    async def take(self, records: Sequence[Record]) -> None:
        """One batch."""

        async def work(tx: asyncpg.Connection) -> Callable[[], None]:
            after = await self.ingest.handle(tx, records)
            for record in records:
                await tx.execute(_MOVE, record.topic, record.partition, record.offset + 1)
            return after

        (await self._writer.run(work))()

    async def take_all(self, records: Sequence[Record], size: int) -> None:
        """Batches of so many."""
        for at in range(0, len(records), size):
            await self.take(records[at : at + size])

    async def rows(self, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """What the database holds."""
        async with self.db.connection() as connection:
            return [tuple(row) for row in await connection.fetch(sql, *arguments)]


_MOVE = """
insert into consumer_offsets (consumer, topic, partition, next_offset, epoch, holder)
values ('audit', $1, $2, $3, 1, 'tests')
on conflict (consumer, topic, partition) do update set next_offset = excluded.next_offset
"""


class Replica:
    """One audit, reached over HTTP."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def get(self, path: str, *, token: str = TOKEN, **query: Any) -> httpx.Response:
        """`from_` stands for `from`."""
        given = {name.rstrip("_"): value for name, value in query.items() if value is not None}
        return await self.http.get(path, params=given, headers=headers_for(token))

    async def json(self, path: str, **query: Any) -> Any:
        """The body of an answer that must be 200."""
        answer = await self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def timeline(self, request_id: str, **query: Any) -> Json:
        found: Json = await self.json(f"/v1/requests/{request_id}/timeline", **query)
        return found

    async def lag(self) -> int | None:
        """Records in the log that are not taken in, None while that is not known."""
        items = (await self.json("/v1/positions", limit=1_000))["items"]
        lags = [item["lag"] for item in items]
        return None if not lags or None in lags else sum(lags)

    async def drained(self, seconds: float = 30) -> None:
        """Waits until all that is in the log is taken in."""

        async def done() -> bool:
            return await self.lag() == 0

        await until(done, seconds, "audit has taken in the whole log")


class ProcessReplica(Replica):
    """`python -m audit serve`, on a port of its own that it keeps over restarts."""

    def __init__(self, port: int, environment: Mapping[str, str], log: Path) -> None:
        super().__init__(httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False))
        self.log = log
        self._environment = {**os.environ, **environment, "THROUGHLINE_PORT": str(port)}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts it and waits until it serves."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "audit", "serve", env=self._environment, stdout=log, stderr=log
            )
        await until(self._answers, 60, f"audit answers; its log: {self.log}")

    def signal(self, number: int) -> None:
        """Freezes or thaws it."""
        assert self._process is not None
        self._process.send_signal(number)

    async def kill(self) -> None:
        """SIGKILL."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        return await self._end(signal.SIGTERM)

    async def close(self) -> None:
        await self.http.aclose()
        if self._process is not None and self._process.returncode is None:
            await self.kill()

    async def _answers(self) -> bool:
        try:
            return (await self.http.get("/readyz")).status_code == 200
        except httpx.HTTPError:
            return False

    async def _end(self, by: int) -> int:
        assert self._process is not None
        self._process.send_signal(by)
        return await asyncio.wait_for(self._process.wait(), 15)


class Audits:
    """A database of audit's, topics of its own, and any number of replicas."""

    def __init__(self, dsn: str, folder: Path, bootstrap: str, prefix: str, **others: Any) -> None:
        self.dsn = dsn
        self.environment: Json = {
            "DATABASE_URL": dsn,
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "THROUGHLINE_MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
            "THROUGHLINE_TOKENS": tokens(),
            "THROUGHLINE_TOPIC_PREFIX": prefix,
            "THROUGHLINE_CONTACTS_PARTITIONS": 4,
            "THROUGHLINE_OTHER_PARTITIONS": 1,
            "THROUGHLINE_LOG_LEVEL": "WARNING",
            **others,
        }
        self.settings = AuditSettings.model_validate(self.environment)
        self._folder = folder
        self._stack = AsyncExitStack()
        self._made = 0

    async def local(self) -> Replica:
        """One more replica, within this process: the same application, reached without a socket."""
        app = build(self.settings)
        await self._stack.enter_async_context(app.router.lifespan_context(app))
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://audit")
        return Replica(await self._stack.enter_async_context(http))

    async def replica(self) -> ProcessReplica:
        """One more replica as a process of its own, running."""
        self._made += 1
        (port,) = free(1, self._folder / "ports")
        replica = ProcessReplica(port, self._as_text(), self._folder / f"audit-{self._made}.log")
        self._stack.push_async_callback(replica.close)
        await replica.start()
        return replica

    async def rebuild(self, *arguments: str) -> asyncio.subprocess.Process:
        """`python -m audit rebuild`, under way."""
        environment = {**os.environ, **self._as_text()}
        with (self._folder / "rebuild.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "audit", "rebuild", *arguments, env=environment, stdout=log, stderr=log
            )

    async def rebuilt(self, *arguments: str) -> None:
        """The same, to its end."""
        process = await self.rebuild(*arguments)
        code = await asyncio.wait_for(process.wait(), 90)
        assert code == 0, (self._folder / "rebuild.log").read_text()[-2_000:]

    async def rebuilt_here(self, *, from_records: bool, **others: Any) -> list[str]:
        """A rebuild within this process; the stages that it went through."""
        stages: dict[str, int] = {}
        settings = AuditSettings.model_validate(self.environment | others)
        await run(settings, lambda stage, done, _: stages.update({stage: done}), from_records=from_records)
        return list(stages)

    async def send(self, records: Iterable[Record], *, elsewhere: bool = False) -> None:
        """Puts records into the log, to the partitions of their keys, or with `elsewhere` to those that they name."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.settings.kafka_bootstrap_servers,
            acks="all",
            linger_ms=5,
            max_request_size=kafka.MAX_RECORD_BYTES,
        )
        await producer.start()
        try:
            waiting = []
            for record in records:
                count = kafka.partitions_of(self.settings, record.topic)
                partition = record.partition if elsewhere else partition_of(record.key or b"", count)
                name = kafka.physical(self.settings, record.topic)
                headers = [(key.decode(), value) for key, value in record.headers]
                waiting.append(await producer.send(name, record.value, record.key, partition, headers=headers))
            await asyncio.gather(*waiting)
        finally:
            await producer.stop()

    async def make_topics(self) -> None:
        db = Database(self.dsn, name="tests")
        await db.open()
        await Topics(self.settings, db).ensure()
        await db.close()

    async def rows(self, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """What the database holds, on a connection of its own."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return [tuple(row) for row in await connection.fetch(sql, *arguments)]
        finally:
            await connection.close()

    async def close(self) -> None:
        await self._stack.aclose()

    def _as_text(self) -> dict[str, str]:
        return {
            name: json.dumps(value) if isinstance(value, dict) else str(value)
            for name, value in self.environment.items()
        }


def tokens() -> Json:
    """The tests' tokens: everything, audit without personal data, and intake's alone."""
    scopes = {TOKEN: ["*"], "reader": ["audit:read"], "gateway": ["contacts:write"]}
    return {
        hashlib.sha256(token.encode()).hexdigest(): {"name": token, "scopes": allowed}
        for token, allowed in scopes.items()
    }


@asynccontextmanager
async def audits(dsn: str, folder: Path, bootstrap: str = NO_KAFKA, prefix: str = "") -> AsyncIterator[Audits]:
    """Audit's schema in an empty database, its topics where there is a broker, and its replicas until the end."""
    await migrations.migrate(dsn, "audit")
    made = Audits(dsn, folder, bootstrap, prefix)
    try:
        if bootstrap != NO_KAFKA:
            await made.make_topics()
        yield made
    finally:
        await made.close()
