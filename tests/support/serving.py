"""A service of the product for tests: on a database and topics of its own, within this process or as processes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import signal
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import asyncpg
import httpx
from aiokafka.producer.producer import AIOKafkaProducer
from fastapi import FastAPI

from chassis import kafka, migrations
from chassis.database import Database
from chassis.settings import ServiceSettings
from chassis.topics import Topics
from events.catalogue import partition_of
from tests.support.program import Program
from tests.support.told import MASTER_KEY, Line
from tests.support.until import until

Json = dict[str, Any]
TOKEN = "only-in-tests-a0d1"
NO_KAFKA = "127.0.0.1:1"
START_S = 150.0
_LIMITS = httpx.Limits(max_connections=200, max_keepalive_connections=200)


def tokens(scopes: Mapping[str, Sequence[str]]) -> Json:
    """`THROUGHLINE_TOKENS`: what each token may do; the tests' own is named `tests`, any other by itself."""
    return {
        hashlib.sha256(token.encode()).hexdigest(): {
            "name": "tests" if token == TOKEN else token,
            "scopes": list(allowed),
        }
        for token, allowed in scopes.items()
    }


def headers_for(token: str = TOKEN) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


HEADERS = headers_for()


class Caller:
    """One replica, reached over HTTP as whoever may do everything."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def ready(self) -> bool:
        try:
            return (await self.http.get("/readyz")).status_code == 200
        except httpx.HTTPError:
            return False


class Apart(Caller):
    """One replica that is a process of its own."""

    def __init__(self, program: Program) -> None:
        url = program.url
        super().__init__(httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=20, limits=_LIMITS, trust_env=False))
        self.program = program

    async def start(self) -> None:
        """Starts it and waits until it is ready."""
        await self.program.begin()
        await until(self.ready, START_S, f"{self.program.module} is ready; its log: {self.program.log}")

    def signal(self, number: int) -> None:
        """Freezes or thaws it."""
        self.program.signal(number)

    async def kill(self) -> None:
        """SIGKILL."""
        await self.program.end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        return await self.program.end(signal.SIGTERM)

    async def close(self) -> None:
        """Ends whatever runs."""
        await self.http.aclose()
        if self.program.runs:
            await self.kill()


A = TypeVar("A", bound=Apart)


class Deployment:
    """One service's schema in an empty database, its topics where there is a broker, and its replicas until the end."""

    package: str
    scopes: ClassVar[Mapping[str, Sequence[str]]] = {TOKEN: ["*"]}

    def __init__(self, dsn: str, folder: Path, bootstrap: str = NO_KAFKA, prefix: str = "", **others: Any) -> None:
        self.dsn = dsn
        self.environment: Json = {
            "DATABASE_URL": dsn,
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "THROUGHLINE_MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
            "THROUGHLINE_TOKENS": tokens(self.scopes),
            "THROUGHLINE_TOPIC_PREFIX": prefix,
            "THROUGHLINE_CONTACTS_PARTITIONS": 4,
            "THROUGHLINE_OTHER_PARTITIONS": 1,
            "THROUGHLINE_LOG_LEVEL": "WARNING",
            **others,
        }
        self.settings = ServiceSettings.model_validate(self.environment)
        self._folder = folder
        self._stack = AsyncExitStack()
        self._producer: AIOKafkaProducer | None = None
        self._made = 0

    async def __aenter__(self) -> Self:
        await migrations.migrate(self.dsn, self.package)
        if self.has_kafka:
            await self.make_topics()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def has_kafka(self) -> bool:
        return self.settings.kafka_bootstrap_servers != NO_KAFKA

    async def put(self, lines: Iterable[Line]) -> None:
        """Into the log, in this order within each partition."""
        producer = self._producer or await self._produce()
        await asyncio.gather(*[await self._sent(producer, line) for line in lines])

    async def rows(self, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """What the database holds, on a connection of its own."""
        return [tuple(row) for row in await self.named(sql, *arguments)]

    async def named(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """The same, to be asked by the columns' names."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return list(await connection.fetch(sql, *arguments))
        finally:
            await connection.close()

    async def make_topics(self) -> None:
        db = Database(self.dsn, name="tests")
        await db.open()
        await Topics(self.settings, db).ensure()
        await db.close()

    @asynccontextmanager
    async def held(self, statement: str, *arguments: Any) -> AsyncIterator[None]:
        """Holds what `statement` locks, in a transaction of another session, until the block ends."""
        connection = await asyncpg.connect(self.dsn)
        try:
            async with connection.transaction():
                await connection.execute(statement, *arguments)
                yield
        finally:
            await connection.close()

    async def _within(self, app: FastAPI) -> httpx.AsyncClient:
        """Serves an application in this process, reached without a socket."""
        await self._stack.enter_async_context(app.router.lifespan_context(app))
        url = f"http://{self.package.replace('_', '-')}"
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=url, headers=HEADERS)
        return await self._stack.enter_async_context(http)

    def _program(self, module: str | None = None, **environment: Any) -> Program:
        """One more process to be started."""
        self._made += 1
        log = self._folder / f"{self.package}-{self._made}.log"
        return Program(module or self.package, as_text(self.environment | environment), log)

    async def _running(self, replica: A) -> A:
        """The replica, once it is ready; closed in the end."""
        self._stack.push_async_callback(replica.close)
        await replica.start()
        return replica

    async def _produce(self) -> AIOKafkaProducer:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self.settings.kafka_bootstrap_servers,
            acks="all",
            max_request_size=kafka.MAX_RECORD_BYTES,
        )
        await self._producer.start()
        self._stack.push_async_callback(self._producer.stop)
        return self._producer

    async def _sent(self, producer: AIOKafkaProducer, line: Line) -> asyncio.Future[Any]:
        partition = line.partition
        if partition is None:
            partition = partition_of(line.key or b"", kafka.partitions_of(self.settings, line.topic))
        name = kafka.physical(self.settings, line.topic)
        sent: asyncio.Future[Any] = await producer.send(
            name, line.value, line.key, partition, headers=list(line.headers)
        )
        return sent


def as_text(environment: Json) -> dict[str, str]:
    """Settings as a process finds them in its environment."""
    return {name: json.dumps(value) if isinstance(value, dict) else str(value) for name, value in environment.items()}
