"""Replicas of kb-search on a database and topics of their own, customers who say something, and what tests ask."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from aiokafka import AIOKafkaProducer
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chassis import kafka, migrations
from chassis.database import Database
from chassis.ids import new_id
from chassis.sealing import AesSealer
from chassis.topics import Topics
from events.catalogue import CATALOGUE, partition_of
from events.codec import encode_data, headers_of
from events.envelope import Envelope
from events.keys import KeyDestroyed, KeyMade
from kb_search.main import build
from kb_search.settings import KbSearchSettings
from local_stack.ports import free
from tests.support.until import until

Json = dict[str, Any]
Sent = tuple[str, str, bytes, list[tuple[str, bytes]]]
TOKEN, READER, STRANGER = "only-in-tests-4bcd", "only-in-tests-reads", "only-in-tests-stranger"
MASTER_KEY = bytes(range(32))
NO_KAFKA = "127.0.0.1:1"


class Replica:
    """One kb-search, reached over HTTP."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def call(
        self, method: str, path: str, body: Any = None, *, token: str = TOKEN, headers: Any = None, **query: Any
    ) -> httpx.Response:
        """Any call; a body that is not None goes as JSON."""
        given = {"authorization": f"Bearer {token}"} | (headers or {})
        asked = {name: value for name, value in query.items() if value is not None}
        content = {} if body is None else {"json": body}
        return await self.http.request(method, path, params=asked, headers=given, **content)

    async def article(self, article_id: str, **facts: Any) -> httpx.Response:
        """Writes one; `facts` replace members of a plain one."""
        return await self.call("PUT", f"/v1/articles/{article_id}", article(**facts))

    async def found(self, q: str, **query: Any) -> list[str]:
        """The ids that a search finds, in order."""
        answer = await self.call("GET", "/v1/search", q=q, **query)
        assert answer.status_code == 200, answer.text
        return [item["article_id"] for item in answer.json()["items"]]

    async def suggested(self, request_id: str) -> list[str] | None:
        """The ids suggested for a request, in order; None while it is not known."""
        answer = await self.call("GET", f"/v1/requests/{request_id}/suggestions")
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200, answer.text
        return [item["article_id"] for item in answer.json()["items"]]

    async def shows(self, request_id: str, *article_ids: str, seconds: float = 20) -> None:
        """Waits until just these are suggested."""

        async def does() -> bool:
            return await self.suggested(request_id) == list(article_ids)

        await until(does, seconds, f"{request_id} is shown {article_ids}")

    async def ready(self) -> bool:
        try:
            return (await self.http.get("/readyz")).status_code == 200
        except httpx.HTTPError:
            return False


class ProcessReplica(Replica):
    """`python -m kb_search serve`, on a port of its own that it keeps over restarts."""

    def __init__(self, port: int, environment: Mapping[str, str], log: Path) -> None:
        super().__init__(httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False))
        self.log = log
        self._environment = {**os.environ, **environment, "THROUGHLINE_PORT": str(port)}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts it and waits until it serves."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "kb_search", "serve", env=self._environment, stdout=log, stderr=log
            )
        await until(self.ready, 60, f"kb-search is ready; its log: {self.log}")

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

    async def _end(self, by: int) -> int:
        assert self._process is not None
        self._process.send_signal(by)
        return await asyncio.wait_for(self._process.wait(), 15)


class Libraries:
    """A database of kb-search's, topics of its own, and any number of replicas."""

    def __init__(self, dsn: str, folder: Path, bootstrap: str, prefix: str) -> None:
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
        }
        self.settings = KbSearchSettings.model_validate(self.environment)
        self._folder = folder
        self._stack = AsyncExitStack()
        self._made = 0

    async def local(self) -> Replica:
        """One more replica within this process, with all articles in its index: reached without a socket."""
        app = build(self.settings)
        await self._stack.enter_async_context(app.router.lifespan_context(app))
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kb-search")
        replica = Replica(await self._stack.enter_async_context(http))
        await until(replica.ready, 30, "kb-search is ready")
        return replica

    async def replica(self) -> ProcessReplica:
        """One more replica as a process of its own, running."""
        self._made += 1
        (port,) = free(1, self._folder / "ports")
        replica = ProcessReplica(port, self._as_text(), self._folder / f"kb-search-{self._made}.log")
        self._stack.push_async_callback(replica.close)
        await replica.start()
        return replica

    async def send(self, *records: Sent) -> None:
        """Puts records into the log, in this order, to the partitions of their keys."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.settings.kafka_bootstrap_servers,
            acks="all",
            max_request_size=kafka.MAX_RECORD_BYTES,
        )
        await producer.start()
        try:
            for topic, key, value, headers in records:
                partition = partition_of(key.encode(), kafka.partitions_of(self.settings, topic))
                name = kafka.physical(self.settings, topic)
                await producer.send_and_wait(name, value, key.encode(), partition, headers=headers)
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

    async def stated(self, stream: str) -> list[tuple[str, Json]]:
        """The events of a stream, by type and payload, in their order."""
        rows = await self.rows("select type, payload from events where stream = $1 order by version", stream)
        return [(type_, json.loads(payload)) for type_, payload in rows]

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

    async def close(self) -> None:
        await self._stack.aclose()

    def _as_text(self) -> dict[str, str]:
        return {
            name: json.dumps(value) if isinstance(value, dict) else str(value)
            for name, value in self.environment.items()
        }


class Customer:
    """Somebody with a key of his own, who says something."""

    def __init__(self, customer_id: str) -> None:
        self.customer_id = customer_id
        self._key = os.urandom(32)

    def made(self) -> Sent:
        """KeyMade, as intake tells it."""
        nonce = os.urandom(12)
        wrapped = AESGCM(MASTER_KEY).encrypt(nonce, self._key, self.customer_id.encode())
        fact = KeyMade(key_id=self.customer_id, algorithm="AES-256-GCM", nonce=_text(nonce), wrapped=_text(wrapped))
        return event("KeyMade", self.customer_id, value=fact.model_dump_json(exclude_unset=True).encode())

    def destroyed(self) -> Sent:
        """KeyDestroyed: the person is erased."""
        fact = KeyDestroyed(key_id=self.customer_id)
        return event("KeyDestroyed", self.customer_id, value=fact.model_dump_json(exclude_unset=True).encode())

    def contact(self, request_id: str, *, source: str = "/services/intake", **data: Any) -> Sent:
        """ContactReceived."""
        who = {"channel": "chat", "customer": {"id": self.customer_id}, "customer_id": self.customer_id}
        return self._says("ContactReceived", request_id, who | data, source)

    def message(self, request_id: str, *, source: str = "/services/intake", **data: Any) -> Sent:
        """MessageReceived."""
        return self._says("MessageReceived", request_id, {"channel": "chat"} | data, source)

    def _says(self, type_: str, request_id: str, data: Json, source: str) -> Sent:
        event_id = new_id()
        sealer = AesSealer({self.customer_id: self._key})
        value = encode_data(type_, data, event_id=event_id, key_id=self.customer_id, sealer=sealer)
        return event(type_, request_id, event_id=event_id, value=value, source=source)


def event(
    type_: str,
    key: str,
    *,
    value: bytes,
    event_id: str = "",
    source: str = "/services/intake",
    occurred_us: int | None = None,
) -> Sent:
    """A record of the log."""
    envelope = Envelope(
        event_id=event_id or new_id(),
        type=type_,
        version=1,
        source=source,
        subject=key,
        occurred_us=time.time_ns() // 1_000 if occurred_us is None else occurred_us,
        partition_key=key,
        sequence=None,
    )
    return CATALOGUE[type_].topic, key, value, headers_of(envelope)


def article(**facts: Any) -> Json:
    """A plain one."""
    return {"title": "Reset your password", "body": "Open *Settings* and choose **Reset password**."} | facts


def tokens() -> Json:
    """Everything, reading alone, and nothing of kb-search's."""
    scopes = {TOKEN: ["*"], READER: ["knowledge:read"], STRANGER: ["contacts:write"]}
    return {
        hashlib.sha256(token.encode()).hexdigest(): {"name": f"{scope[0]}", "scopes": scope}
        for token, scope in scopes.items()
    }


@asynccontextmanager
async def libraries(dsn: str, folder: Path, bootstrap: str = NO_KAFKA, prefix: str = "") -> AsyncIterator[Libraries]:
    """Kb-search's schema in an empty database, its topics where there is a broker, and its replicas until the end."""
    await migrations.migrate(dsn, "kb_search")
    made = Libraries(dsn, folder, bootstrap, prefix)
    try:
        if bootstrap != NO_KAFKA:
            await made.make_topics()
        yield made
    finally:
        await made.close()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


async def all_of(calls: Iterable[Any]) -> list[Any]:
    """All at once."""
    return list(await asyncio.gather(*calls))
