"""The router over HTTP, in this process or in its own, and what an agent's desk sends to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpx

from chassis.records import Record
from router.main import build
from router.settings import RouterSettings
from tests.support.serving import Apart, Caller, Deployment, Json
from tests.support.told import Line
from tests.support.until import until


class Router(Caller):
    """One replica, reached over HTTP."""

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


class ProcessRouter(Apart, Router):
    """`python -m router serve`."""


class Routers(Deployment):
    """The router's database and topics, and any number of replicas."""

    package = "router"

    async def local(self, **environment: Any) -> Router:
        """One more replica, within this process."""
        return Router(await self._within(build(RouterSettings.model_validate(self.environment | environment))))

    async def replica(self) -> ProcessRouter:
        """One more replica as a process of its own, running."""
        return await self._running(ProcessRouter(self._program()))

    async def send(self, records: Iterable[Record]) -> None:
        """Puts records into the log, to the partitions of their keys, in this order."""
        await self.put(Line.of(record) for record in records)
