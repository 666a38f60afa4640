"""The whole product as a test handles it: up, down, killed, and asked over HTTP."""

from __future__ import annotations

import os
import signal
from typing import Any

import asyncpg
import httpx

from local_stack.postgres import on_a_loop_of_its_own
from local_stack.services import SERVICES
from local_stack.stack import Stack
from tests.local.stacks import Running
from throughline.stack import Stack as Addresses


class Product(Running):
    """A running stack that is asked what it knows."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        # One for all calls, since making one takes longer than a call; no connection is kept over a kill.
        self._http = httpx.Client(timeout=60, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))

    def reached(self) -> Addresses:
        """Where the services are, for whoever calls them as the demo does."""
        facts = self.facts()
        return Addresses({service.name: str(facts[service.name]) for service in SERVICES}, str(facts["token"]))

    def close(self) -> None:
        """Takes it down; it is not asked again."""
        self.down()
        self._http.close()

    def kill_everything(self) -> None:
        """SIGKILL to every part at once."""
        for pid in self.pids().values():
            os.kill(pid, signal.SIGKILL)

    def get(self, path: str, service: str = "audit", **query: str) -> httpx.Response:
        """The answer to a GET, whatever its status."""
        return self._call("GET", service, path, params=query)

    def post(self, path: str, body: dict[str, Any], key: str | None = None) -> dict[str, Any]:
        """What intake answered with 202."""
        answer = self._call("POST", "intake", path, json=body, headers={"Idempotency-Key": key} if key else {})
        assert answer.status_code == 202, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def timeline(self, request_id: str) -> bytes | None:
        """The timeline's bytes, None while audit knows of none."""
        answer = self.get(f"/v1/requests/{request_id}/timeline")
        return answer.content if answer.status_code == 200 else None

    def lag(self) -> int:
        """How many records audit has still to read; one whose end is not known counts as one."""
        items = self.get("/v1/positions", limit="1000").json()["items"]
        return sum(1 if each["lag"] is None else each["lag"] for each in items)

    def outbox(self) -> int:
        """How many events wait in intake's outbox, by its database: the metric may be a second old."""
        return int(on_a_loop_of_its_own(_count(self.facts()["postgres"]["intake"])))

    def drained(self) -> bool:
        """Whether all that was accepted is in audit."""
        return self.outbox() == 0 and self.lag() == 0

    def _call(self, method: str, service: str, path: str, **more: Any) -> httpx.Response:
        facts = self.facts()
        headers = {"Authorization": f"Bearer {facts['token']}", **more.pop("headers", {})}
        return self._http.request(method, facts[service] + path, headers=headers, **more)


_WAITING = "select count(*) from events e, relay_lease r where (e.txid, e.id) > (r.txid, r.id)"


async def _count(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(_WAITING))
    finally:
        await connection.close()
