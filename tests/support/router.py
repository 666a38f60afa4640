"""The router over HTTP, in this process or in its own, and what an agent's desk sends to it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from aiokafka.producer.producer import AIOKafkaProducer

from chassis import kafka, migrations
from chassis.database import Database
from chassis.records import Record
from chassis.topics import Topics
from events.catalogue import partition_of
from local_stack.ports import free
from router.main import build
from router.settings import RouterSettings
from tests.support.routing import MASTER_KEY
from tests.support.until import until

TOKEN = "only-in-tests-a0e7"
HEADERS = {"authorization": f"Bearer {TOKEN}"}
NO_KAFKA = "127.0.0.1:1"
Json = dict[str, Any]


def tokens(*scopes: str) -> Json:
    """`THROUGHLINE_TOKENS` for the tests' token with these scopes."""
    return {hashlib.sha256(TOKEN.encode()).hexdigest(): {"name": "tests", "scopes": list(scopes)}}


class Router:
    """One replica, reached over HTTP."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def order(
        self, verb: str, request_id: str, agent_id: str | None = None, *, key: str | None = None, **body: Any
    ) -> httpx.Response:
        headers = {} if key is None else {"idempotency-key": key}
        whole = body if agent_id is None else {"agent_id": agent_id} | body
        return await self.http.post(f"/v1/requests/{request_id}/{verb}", json=whole, headers=headers)

    async def done(self, verb: str, request_id: str, agent_id: str | None = None, **body: Any) -> Json:
        """The answer to an order that must be carried out."""
        answer = await self.order(verb, request_id, agent_id, **body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def view(self, request_id: str) -> Json:
        """The request; empty where it is not known."""
        answer = await self.http.get(f"/v1/requests/{request_id}")
        return dict(answer.json()) if answer.status_code == 200 else {}

    async def comes(self, request_id: str, seconds: float = 20, **facts: Any) -> Json:
        """Waits until the request shows these facts."""

        async def there() -> bool:
            seen = await self.view(request_id)
            return bool(seen) and all(seen.get(name) == value for name, value in facts.items())

        await until(there, seconds, f"{request_id} shows {facts}")
        return await self.view(request_id)

    async def agent(self, agent_id: str, presence: str = "available", **profile: Any) -> None:
        """An agent with room for one call where nothing else is said."""
        whole = {"name": agent_id, "channels": {"voice": 1}} | profile
        answer = await self.http.put(f"/v1/agents/{agent_id}", json=whole)
        assert answer.status_code == 200, answer.text
        await self.presence(agent_id, presence)

    async def presence(self, agent_id: str, status: str) -> None:
        answer = await self.http.put(f"/v1/agents/{agent_id}/presence", json={"status": status})
        assert answer.status_code == 200, answer.text

    async def held(self, agent_id: str) -> list[Json]:
        answer = await self.http.get(f"/v1/agents/{agent_id}")
        return list(answer.json()["assignments"])

    async def ready(self) -> bool:
        try:
            return (await self.http.get("/readyz")).status_code == 200
        except httpx.HTTPError:
            return False


class ProcessRouter(Router):
    """`python -m router serve`, on a port of its own that it keeps over restarts."""

    def __init__(self, port: int, environment: Mapping[str, str], log: Path) -> None:
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
        self.url = f"http://127.0.0.1:{port}"
        http = httpx.AsyncClient(base_url=self.url, headers=HEADERS, timeout=20, limits=limits, trust_env=False)
        super().__init__(http)
        self.log = log
        self._environment = {**os.environ, **environment, "THROUGHLINE_PORT": str(port)}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts it and waits until it serves."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "router", "serve", env=self._environment, stdout=log, stderr=log
            )
        await until(self.ready, 150, f"the router is ready; its log: {self.log}")

    async def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        await asyncio.wait_for(self._process.wait(), 15)

    async def close(self) -> None:
        """Ends whatever runs."""
        await self.http.aclose()
        if self._process is not None and self._process.returncode is None:
            await self.kill()


class Routers:
    """A database of the router's and any number of replicas on it."""

    def __init__(self, dsn: str, folder: Path, bootstrap: str, prefix: str) -> None:
        self.dsn = dsn
        self._folder = folder
        self._stack = AsyncExitStack()
        self._made = 0
        self.environment: Json = {
            "DATABASE_URL": dsn,
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "THROUGHLINE_MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
            "THROUGHLINE_TOKENS": tokens("*"),
            "THROUGHLINE_TOPIC_PREFIX": prefix,
            "THROUGHLINE_CONTACTS_PARTITIONS": 4,
            "THROUGHLINE_OTHER_PARTITIONS": 1,
            "THROUGHLINE_LOG_LEVEL": "WARNING",
        }
        self.settings = RouterSettings.model_validate(self.environment)

    async def local(self, **environment: Any) -> Router:
        """One more replica, within this process: the same application, reached without a socket."""
        app = build(RouterSettings.model_validate(self.environment | environment))
        await self._stack.enter_async_context(app.router.lifespan_context(app))
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://router", headers=HEADERS)
        return Router(await self._stack.enter_async_context(http))

    async def replica(self) -> ProcessRouter:
        """One more replica as a process of its own, running."""
        self._made += 1
        (port,) = free(1, self._folder / "ports")
        texts = {
            name: json.dumps(value) if isinstance(value, dict) else str(value)
            for name, value in self.environment.items()
        }
        replica = ProcessRouter(port, texts, self._folder / f"router-{self._made}.log")
        self._stack.push_async_callback(replica.close)
        await replica.start()
        return replica

    async def send(self, records: Sequence[Record]) -> None:
        """Puts records into the log, to the partitions of their keys, in this order."""
        producer = AIOKafkaProducer(bootstrap_servers=self.settings.kafka_bootstrap_servers, acks="all")
        await producer.start()
        try:
            for record in records:
                key = record.key or b""
                partition = partition_of(key, kafka.partitions_of(self.settings, record.topic))
                headers = [(name.decode(), value) for name, value in record.headers]
                name = kafka.physical(self.settings, record.topic)
                await producer.send_and_wait(name, record.value, key, partition, headers=headers)
        finally:
            await producer.stop()

    async def make_topics(self) -> None:
        db = Database(self.dsn, name="tests")
        await db.open()
        await Topics(self.settings, db).ensure()
        await db.close()

    async def close(self) -> None:
        await self._stack.aclose()


@asynccontextmanager
async def routers(dsn: str, folder: Path, bootstrap: str = NO_KAFKA, prefix: str = "") -> AsyncIterator[Routers]:
    """The router's schema in an empty database, its topics where there is a broker, and its replicas until the end."""
    await migrations.migrate(dsn, "router")
    made = Routers(dsn, folder, bootstrap, prefix)
    try:
        if bootstrap != NO_KAFKA:
            await made.make_topics()
        yield made
    finally:
        await made.close()
