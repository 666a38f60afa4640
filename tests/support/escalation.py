"""Escalation for tests: a log that others would write, and the application in this process or in its own."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

import httpx

from chassis.clock import SystemClock
from escalation.main import build
from escalation.settings import EscalationSettings
from events.codec import encode_data, headers_of
from events.envelope import Envelope
from tests.support.serving import Apart, Caller, Deployment, Json
from tests.support.told import CustomerKey, Line
from tests.support.until import until

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
    envelope = Envelope(str(uuid.uuid4()), "KeyMade", 1, INTAKE, key_id, now_us(), key_id, 1)
    return Told(envelope, CustomerKey(key_id).made(), "keys")


class Replica(Caller):
    """One escalation, reached over HTTP."""

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

    async def comes_to_know(self, request_id: str) -> None:
        """Waits until it has heard of the request."""
        await until(lambda: self.knows(request_id), 20, f"{request_id} is known")

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


class ProcessReplica(Apart, Replica):
    """`python -m escalation serve`."""


class Escalations(Deployment):
    """Escalation's database and topics, and any number of replicas."""

    package = "escalation"

    async def local(self, clock: SetClock | None = None) -> Replica:
        """One more replica, within this process, that reads the log."""
        self._made += 1
        named = self.environment | {"THROUGHLINE_REPLICA": f"local-{self._made}"}
        replica = Replica(await self._within(build(EscalationSettings.model_validate(named), clock)))
        if self.has_kafka:
            await until(replica.ready, 30, "escalation is ready")
        return replica

    async def replica(self) -> ProcessReplica:
        """One more replica as a process of its own, running."""
        return await self._running(ProcessReplica(self._program()))

    async def send(self, *told: Told) -> None:
        """Puts events into the log, in this order."""
        await self.put(
            Line(each.topic, each.envelope.partition_key.encode(), each.value, headers_of(each.envelope))
            for each in told
        )

    async def stated(self, request_id: str) -> list[str]:
        """What escalation has stated of a request, in its order: the types."""
        rows = await self.rows("select type from events where stream = $1 order by version", request_id)
        return [type_ for (type_,) in rows]

    async def facts(self, request_id: str) -> list[Json]:
        """The same with the times and the data, still sealed."""
        asked = "select type, occurred_us, payload from events where stream = $1 order by version"
        rows = await self.rows(asked, request_id)
        return [{"type": type_, "occurred_us": at} | json.loads(payload) for type_, at, payload in rows]
