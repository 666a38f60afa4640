"""Escalation for tests: a log that others would write, and the application in this process or in its own."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from aiokafka.producer.producer import AIOKafkaProducer
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chassis import kafka, migrations
from chassis.clock import SystemClock
from chassis.database import Database
from chassis.topics import Topics
from escalation.main import build
from escalation.settings import EscalationSettings
from events.catalogue import partition_of
from events.codec import encode_data, headers_of
from events.envelope import Envelope
from events.keys import KeyMade
from local_stack.ports import free
from tests.support.until import until

Json = dict[str, Any]
TOKEN = "only-in-tests-e5ca"
MASTER_KEY = bytes(range(32))
NO_KAFKA = "127.0.0.1:1"
SECOND = 1_000_000
INTAKE, ROUTER = "/services/intake", "/services/router"
CUSTOMER = "c-1"


def now_us() -> int:
    return time.time_ns() // 1_000


class SetClock:
    """The host's clock, which a test sets."""

    def __init__(self) -> None:
        self.offset_us = 0

    def now_us(self) -> int:
        return SystemClock().now_us() + self.offset_us


class Told:
    """One event as it goes into the log."""

    def __init__(self, envelope: Envelope, value: bytes, topic: str = "contacts") -> None:
        self.envelope = envelope
        self.value = value
        self.topic = topic


class Life:
    """A request as intake and the router tell it; each call is the next event. Times are µs since 1970."""

    def __init__(self, at_us: int | None = None, request_id: str | None = None) -> None:
        self.request_id = request_id or str(uuid.uuid4())
        self.at_us = now_us() if at_us is None else at_us
        self._sequence = {INTAKE: 0, ROUTER: 0}
        self.last_id = ""

    def received(self, **facts: Any) -> Told:
        contact = {"channel": "chat", "customer": {"id": CUSTOMER}, "customer_id": CUSTOMER} | facts
        return self.event("ContactReceived", contact, source=INTAKE)

    def routed(self, agent_id: str = "a-1", **at: Any) -> Told:
        return self.event("Routed", {"agent_id": agent_id}, **at)

    def connected(self, agent_id: str = "a-1", **at: Any) -> Told:
        return self.event("Connected", {"agent_id": agent_id}, **at)

    def resolved(self, **at: Any) -> Told:
        return self.event("Resolved", {"agent_id": "a-1"}, **at)

    def abandoned(self, **at: Any) -> Told:
        return self.event("Abandoned", {}, **at)

    def requeued(self, cause: str, tier: int, **at: Any) -> Told:
        return self.event("Requeued", {"reason": "escalated", "tier": tier}, causation_id=cause, **at)

    def event(self, type_: str, data: Mapping[str, Any], *, after_s: float = 0.001, **envelope: Any) -> Told:
        """So long after the event before it."""
        source = envelope.pop("source", ROUTER)
        self.at_us += round(after_s * SECOND)
        self._sequence[source] = self._sequence.get(source, 0) + 1
        self.last_id = str(uuid.uuid4())
        said = Envelope(
            event_id=self.last_id,
            type=type_,
            version=1,
            source=source,
            subject=self.request_id,
            occurred_us=self.at_us,
            partition_key=self.request_id,
            **{"sequence": self._sequence[source]} | envelope,
        )
        return Told(said, encode_data(type_, data, event_id=self.last_id))


def key_made(key_id: str = CUSTOMER) -> Told:
    """KeyMade, as intake tells it."""
    nonce, key = os.urandom(12), os.urandom(32)
    wrapped = AESGCM(MASTER_KEY).encrypt(nonce, key, key_id.encode())
    texts = [base64.b64encode(raw).decode() for raw in (nonce, wrapped)]
    fact = KeyMade(key_id=key_id, algorithm="AES-256-GCM", nonce=texts[0], wrapped=texts[1])
    envelope = Envelope(str(uuid.uuid4()), "KeyMade", 1, INTAKE, key_id, now_us(), key_id, 1)
    return Told(envelope, fact.model_dump_json(exclude_unset=True).encode(), "keys")


class Replica:
    """One escalation, reached over HTTP."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def get(self, path: str, **query: Any) -> httpx.Response:
        """`from_` stands for `from`."""
        given = {name.rstrip("_"): value for name, value in query.items() if value is not None}
        return await self.http.get(path, params=given)

    async def json(self, path: str, **query: Any) -> Any:
        """The body of an answer that must be 200."""
        answer = await self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def escalate(self, request_id: str, *, key: str | None = None, **facts: Any) -> httpx.Response:
        headers = {} if key is None else {b"idempotency-key": key.encode()}
        body = {"by": "chief", "reason": "too hard"} | facts
        return await self.http.post(f"/v1/requests/{request_id}/escalations", json=body, headers=headers)

    async def knows(self, request_id: str) -> bool:
        return (await self.get(f"/v1/requests/{request_id}/clocks")).status_code == 200

    async def clocks(self, request_id: str) -> list[Json]:
        found: list[Json] = (await self.json(f"/v1/requests/{request_id}/clocks"))["items"]
        return found

    async def states(self, request_id: str) -> list[str]:
        """Of a request's clocks; none while it is not known."""
        answer = await self.get(f"/v1/requests/{request_id}/clocks")
        return [item["state"] for item in answer.json()["items"]] if answer.status_code == 200 else []

    async def put(self, path: str, body: Json, key: str | None = None) -> httpx.Response:
        return await self.http.put(path, json=body, headers={} if key is None else {"idempotency-key": key})

    async def promise(self, target_s: float, name: str = "default", **members: Any) -> None:
        """One promise for everybody: a connection within so many seconds."""
        promise = {"promise": "connect", "start": "ContactReceived", "stop": "Connected"}
        whole = promise | {"target_us": round(target_s * SECOND)} | members
        answer = await self.put(f"/v1/policies/sla/{name}", {"promises": [whole]})
        assert answer.status_code == 200, answer.text

    async def ready(self) -> bool:
        try:
            answer = await self.http.get("/readyz")
        except httpx.HTTPError:
            return False
        return answer.status_code == 200 and bool(answer.json()["status"] == "ready")


class ProcessReplica(Replica):
    """`python -m escalation serve`, on a port of its own that it keeps over restarts."""

    def __init__(self, port: int, environment: Mapping[str, str], log: Path) -> None:
        headers = {"authorization": f"Bearer {TOKEN}"}
        url = f"http://127.0.0.1:{port}"
        super().__init__(httpx.AsyncClient(base_url=url, headers=headers, timeout=20, trust_env=False))
        self.log = log
        self._environment = {**os.environ, **environment, "THROUGHLINE_PORT": str(port)}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "escalation", "serve", env=self._environment, stdout=log, stderr=log
            )
        await until(self.ready, 60, f"escalation is ready; its log: {self.log}")

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def kill(self) -> None:
        """SIGKILL."""
        self.signal(signal.SIGKILL)
        assert self._process is not None
        await asyncio.wait_for(self._process.wait(), 15)

    async def close(self) -> None:
        await self.http.aclose()
        if self._process is not None and self._process.returncode is None:
            await self.kill()


class Escalations:
    """A database of escalation's, topics of its own, and any number of replicas."""

    def __init__(self, dsn: str, folder: Path, bootstrap: str, prefix: str) -> None:
        self.dsn = dsn
        self.environment: Json = {
            "DATABASE_URL": dsn,
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "THROUGHLINE_MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
            "THROUGHLINE_TOKENS": {hashlib.sha256(TOKEN.encode()).hexdigest(): {"name": "tests", "scopes": ["*"]}},
            "THROUGHLINE_TOPIC_PREFIX": prefix,
            "THROUGHLINE_CONTACTS_PARTITIONS": 4,
            "THROUGHLINE_OTHER_PARTITIONS": 1,
            "THROUGHLINE_LOG_LEVEL": "WARNING",
        }
        self.settings = EscalationSettings.model_validate(self.environment)
        self._folder = folder
        self._stack = AsyncExitStack()
        self._producer: AIOKafkaProducer | None = None
        self._made = 0

    async def local(self, clock: SetClock | None = None) -> Replica:
        """One more replica, within this process, that reads the log."""
        app = build(self.settings.model_copy(update={"replica": f"local-{self._made}"}), clock)
        self._made += 1
        await self._stack.enter_async_context(app.router.lifespan_context(app))
        headers = {"authorization": f"Bearer {TOKEN}"}
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://escalation", headers=headers)
        replica = Replica(await self._stack.enter_async_context(http))
        if self.settings.kafka_bootstrap_servers != NO_KAFKA:
            await until(replica.ready, 30, "escalation is ready")
        return replica

    async def replica(self) -> ProcessReplica:
        """One more replica as a process of its own, running."""
        self._made += 1
        (port,) = free(1, self._folder / "ports")
        replica = ProcessReplica(port, self._as_text(), self._folder / f"escalation-{self._made}.log")
        self._stack.push_async_callback(replica.close)
        await replica.start()
        return replica

    async def send(self, *told: Told) -> None:
        """Puts events into the log, in this order."""
        producer = self._producer or await self._produce()
        waiting = [await self._sent(producer, each) for each in told]
        await asyncio.gather(*waiting)

    async def _produce(self) -> AIOKafkaProducer:
        self._producer = AIOKafkaProducer(bootstrap_servers=self.settings.kafka_bootstrap_servers, acks="all")
        await self._producer.start()
        self._stack.push_async_callback(self._producer.stop)
        return self._producer

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

    async def stated(self, request_id: str) -> list[str]:
        """What escalation has stated of a request, in its order: the types."""
        rows = await self.rows("select type from events where stream = $1 order by version", request_id)
        return [type_ for (type_,) in rows]

    async def facts(self, request_id: str) -> list[Json]:
        """The same with the times and the data, still sealed."""
        asked = "select type, occurred_us, payload from events where stream = $1 order by version"
        rows = await self.rows(asked, request_id)
        return [{"type": type_, "occurred_us": at} | json.loads(payload) for type_, at, payload in rows]

    async def close(self) -> None:
        await self._stack.aclose()

    async def _sent(self, producer: AIOKafkaProducer, told: Told) -> asyncio.Future[Any]:
        key = told.envelope.partition_key.encode()
        partition = partition_of(key, kafka.partitions_of(self.settings, told.topic))
        name = kafka.physical(self.settings, told.topic)
        sent: asyncio.Future[Any] = await producer.send(
            name, told.value, key, partition, headers=headers_of(told.envelope)
        )
        return sent

    def _as_text(self) -> dict[str, str]:
        return {
            name: json.dumps(value) if isinstance(value, dict) else str(value)
            for name, value in self.environment.items()
        }


@asynccontextmanager
async def escalations(
    dsn: str, folder: Path, bootstrap: str = NO_KAFKA, prefix: str = ""
) -> AsyncIterator[Escalations]:
    """Escalation's schema in an empty database, its topics where there is a broker, and its replicas until the end."""
    await migrations.migrate(dsn, "escalation")
    made = Escalations(dsn, folder, bootstrap, prefix)
    try:
        if bootstrap != NO_KAFKA:
            await made.make_topics()
        yield made
    finally:
        await made.close()
