"""Replicas of intake as processes of their own, and what tests send to them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil  # type: ignore[import-untyped]  # ships no types

from chassis import migrations
from intake.main import build
from intake.settings import IntakeSettings
from local_stack.ports import free
from tests.support.until import until

TOKEN = "only-in-tests-f6f0"
HEADERS = {"authorization": f"Bearer {TOKEN}"}
NO_KAFKA = "127.0.0.1:1"
Json = dict[str, Any]


class Caller:
    """Calls one replica of intake."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def contact(self, whole: Json | None = None, *, key: str | None = None, **facts: Any) -> httpx.Response:
        """`POST /v1/contacts`, with a plain contact where no whole one is given; `facts` replace members of it."""
        headers = {} if key is None else {"idempotency-key": key}
        return await self.http.post("/v1/contacts", json=whole or contact(**facts), headers=headers)

    async def imported(self, lines: Iterable[Json] | bytes) -> list[Json]:
        """`POST /v1/imports`; the answer's lines."""
        body = lines if isinstance(lines, bytes) else ndjson(lines)
        answer = await self.http.post("/v1/imports", content=body)
        assert answer.status_code == 200, answer.text
        return lines_of(answer)


class Replica(Caller):
    """One `python -m intake serve`, on a port of its own that it keeps over restarts."""

    def __init__(self, port: int, environment: Mapping[str, str], log: Path, module: str) -> None:
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
        url = f"http://127.0.0.1:{port}"
        super().__init__(httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=20, limits=limits, trust_env=False))
        self.port = port
        self.log = log
        self._module = module
        self._environment = {**os.environ, **environment, "THROUGHLINE_PORT": str(port)}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts it and waits until it can take contacts."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self._module, "serve", env=self._environment, stdout=log, stderr=log
            )
        await until(self.ready, 60, f"intake is ready; its log: {self.log}")

    async def ready(self) -> bool:
        try:
            return (await self.http.get("/readyz")).status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def callers(self) -> int:
        """How many connections it has taken and not closed yet."""
        open_ones = psutil.Process(self.pid).net_connections("tcp")
        return sum(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == self.port for one in open_ones)

    async def kill(self) -> None:
        """SIGKILL."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        return await self._end(signal.SIGTERM)

    async def close(self) -> None:
        """Ends whatever runs."""
        await self.http.aclose()
        if self._process is not None and self._process.returncode is None:
            await self.kill()

    async def _end(self, by: int) -> int:
        assert self._process is not None
        self._process.send_signal(by)
        return await asyncio.wait_for(self._process.wait(), 15)


class Intakes:
    """A database of intake's and any number of replicas on it."""

    def __init__(self, dsn: str, folder: Path, kafka: str) -> None:
        self.dsn = dsn
        self._folder = folder
        self._kafka = kafka
        self._stack = AsyncExitStack()
        self._made = 0

    async def local(self, **environment: Any) -> Caller:
        """One more replica, within this process: the same application, reached without a socket."""
        app = build(IntakeSettings.model_validate(self._environment() | environment))
        await self._stack.enter_async_context(app.router.lifespan_context(app))
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://intake", headers=HEADERS)
        return Caller(await self._stack.enter_async_context(http))

    async def replica(self, *, module: str = "intake", **environment: str) -> Replica:
        """One more replica as a process of its own, running."""
        self._made += 1
        (port,) = free(1, self._folder / "ports")
        log = self._folder / f"intake-{self._made}.log"
        given = self._environment() | environment
        given["THROUGHLINE_TOKENS"] = json.dumps(given["THROUGHLINE_TOKENS"])
        replica = Replica(port, given, log, module)
        self._stack.push_async_callback(replica.close)
        await replica.start()
        return replica

    async def rows(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """What the database says, on a connection of its own."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return list(await connection.fetch(query, *arguments))
        finally:
            await connection.close()

    async def value(self, query: str, *arguments: Any) -> Any:
        """The first value of the first row."""
        return (await self.rows(query, *arguments))[0][0]

    @asynccontextmanager
    async def held(self, statement: str) -> AsyncIterator[None]:
        """Holds what `statement` locks, in a transaction of another session, until the block ends."""
        connection = await asyncpg.connect(self.dsn)
        try:
            async with connection.transaction():
                await connection.execute(statement)
                yield
        finally:
            await connection.close()

    async def waits_for_lock(self) -> bool:
        """Whether a session of this database waits for a lock at this moment."""
        waiting = (
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
        return int(await self.value(waiting)) > 0

    async def close(self) -> None:
        await self._stack.aclose()

    @staticmethod
    def tokens(*scopes: str) -> Json:
        """`THROUGHLINE_TOKENS` for the tests' token with these scopes."""
        return {hashlib.sha256(TOKEN.encode()).hexdigest(): {"name": "tests", "scopes": list(scopes)}}

    def _environment(self) -> dict[str, Any]:
        return {
            "DATABASE_URL": self.dsn,
            "KAFKA_BOOTSTRAP_SERVERS": self._kafka,
            "THROUGHLINE_MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "THROUGHLINE_TOKENS": self.tokens("*"),
            "THROUGHLINE_LOG_LEVEL": "WARNING",
            # A busy machine refuses nobody for waiting, but where a test is about just that.
            "THROUGHLINE_INTAKE_PATIENCE_MS": "60000",
            "THROUGHLINE_IMPORT_PATIENCE_MS": "60000",
        }


@asynccontextmanager
async def intakes(dsn: str, folder: Path, kafka: str = NO_KAFKA) -> AsyncIterator[Intakes]:
    """Intake's schema in an empty database, and its replicas until the end."""
    await migrations.migrate(dsn, "intake")
    made = Intakes(dsn, folder, kafka)
    try:
        yield made
    finally:
        await made.close()


def contact(**facts: Any) -> Json:
    """A plain contact; `facts` replace members of it."""
    return {"channel": "email", "customer": {"id": "c-1", "email": "ada@example.com"}, "subject": "help"} | facts


def line(request_id: str, kind: str = "ContactReceived", second: int = 0, **data: Any) -> Json:
    """An import line, `second` seconds into 2001."""
    if kind == "ContactReceived" and not data:
        data = {"channel": "chat", "customer": {"id": "c-1"}}
    at = f"2001-01-01T00:{second // 60:02d}:{second % 60:02d}.000000Z"
    return {"type": kind, "request_id": request_id, "occurred_at": at, "data": data}


def ndjson(lines: Iterable[Json]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in lines)


def lines_of(answer: httpx.Response) -> list[Json]:
    return [json.loads(one) for one in answer.content.splitlines()]
