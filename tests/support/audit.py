"""Audit for tests: its ingest alone on a database, its application in this process, or as processes of their own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import asyncpg
import httpx

from audit.adapters.kept import SqlKept
from audit.adapters.schema import LIVE
from audit.app.ingest import Ingest
from audit.main import build
from audit.rebuild.command import run
from audit.settings import AuditSettings
from chassis.database import Database
from chassis.records import Record
from tests.support.serving import TOKEN, Apart, Caller, Deployment, Json, as_text, headers_for
from tests.support.told import Line
from tests.support.until import until

REQUESTS = "select * from projection.requests order by request_id"
RECORDS = 'select * from projection.records order by topic, partition, "offset"'


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


class Replica(Caller):
    """One audit, reached over HTTP."""

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


class ProcessReplica(Apart, Replica):
    """`python -m audit serve`."""


class Audits(Deployment):
    """Audit's database and topics, and any number of replicas."""

    package = "audit"
    scopes: ClassVar = {TOKEN: ["*"], "reader": ["audit:read"], "gateway": ["contacts:write"]}

    async def local(self) -> Replica:
        """One more replica, within this process."""
        return Replica(await self._within(build(AuditSettings.model_validate(self.environment))))

    async def replica(self) -> ProcessReplica:
        """One more replica as a process of its own, running."""
        return await self._running(ProcessReplica(self._program()))

    async def rebuild(self, *arguments: str) -> asyncio.subprocess.Process:
        """`python -m audit rebuild`, under way."""
        environment = {**os.environ, **as_text(self.environment)}
        with (self._folder / "rebuild.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "audit", "rebuild", *arguments, env=environment, stdout=log, stderr=log
            )

    async def rebuilt(self, *arguments: str) -> None:
        """The same, to its end."""
        process = await self.rebuild(*arguments)
        code = await asyncio.wait_for(process.wait(), 90)
        assert code == 0, self.told_by_rebuilds()[-2_000:]

    async def rebuilt_here(self, *, from_records: bool, workers: int = 1, **others: Any) -> list[str]:
        """A rebuild begun within this process; the stages that it went through."""
        stages: dict[str, int] = {}
        settings = AuditSettings.model_validate(self.environment | others)

        def told(stage: str, done: int, _total: int) -> None:
            stages[stage] = done

        await run(settings, told, from_records=from_records, workers=workers)
        return list(stages)

    def told_by_rebuilds(self) -> str:
        """What the rebuilds that were processes of their own have written."""
        return (self._folder / "rebuild.log").read_text()

    async def send(self, records: Iterable[Record], *, elsewhere: bool = False) -> None:
        """Puts records into the log, to the partitions of their keys, or with `elsewhere` to those that they name."""
        await self.put(Line.of(record, record.partition if elsewhere else None) for record in records)
