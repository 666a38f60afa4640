"""Replicas of intake, within this process or as processes of their own, and what tests send to them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]  # ships no types

from intake.main import build
from intake.settings import IntakeSettings
from tests.support import serving
from tests.support.serving import NO_KAFKA, Apart, Deployment, Json

# A busy machine refuses nobody for waiting, but where a test is about just that.
_PATIENT = {"THROUGHLINE_INTAKE_PATIENCE_MS": 60_000, "THROUGHLINE_IMPORT_PATIENCE_MS": 60_000}


class Caller(serving.Caller):
    """Calls one replica of intake."""

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


class Replica(Apart, Caller):
    """`python -m intake serve`."""

    @property
    def callers(self) -> int:
        """How many connections it has taken and not closed yet."""
        open_ones = psutil.Process(self.program.pid).net_connections("tcp")
        ours = [one for one in open_ones if one.laddr.port == self.program.port]
        return sum(one.status == psutil.CONN_ESTABLISHED for one in ours)


class Intakes(Deployment):
    """Intake's database, and any number of replicas on it."""

    package = "intake"

    def __init__(self, dsn: str, folder: Path, bootstrap: str = NO_KAFKA, prefix: str = "") -> None:
        super().__init__(dsn, folder, bootstrap, prefix, **_PATIENT)

    async def local(self, **environment: Any) -> Caller:
        """One more replica, within this process."""
        return Caller(await self._within(build(IntakeSettings.model_validate(self.environment | environment))))

    async def replica(self, *, module: str = "intake", **environment: Any) -> Replica:
        """One more replica as a process of its own, running."""
        return await self._running(Replica(self._program(module, **environment)))

    async def value(self, query: str, *arguments: Any) -> Any:
        """The first value of the first row."""
        return (await self.rows(query, *arguments))[0][0]

    async def waits_for_lock(self) -> bool:
        """Whether a session of this database waits for a lock at this moment."""
        waiting = (
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
        return int(await self.value(waiting)) > 0


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
