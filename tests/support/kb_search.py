"""Replicas of kb-search on a database and topics of their own, customers who say something, and what tests ask."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable
from typing import Any, ClassVar

import httpx

from chassis.ids import new_id
from events.catalogue import CATALOGUE
from events.codec import encode_data, headers_of
from events.envelope import Envelope
from kb_search.main import build
from kb_search.settings import KbSearchSettings
from tests.support.serving import TOKEN, Apart, Caller, Deployment, Json, headers_for
from tests.support.told import CustomerKey, Line
from tests.support.until import until

Sent = tuple[str, str, bytes, list[tuple[str, bytes]]]
READER, STRANGER = "only-in-tests-reads", "only-in-tests-stranger"


class Replica(Caller):
    """One kb-search, reached over HTTP."""

    async def call(
        self, method: str, path: str, body: Any = None, *, token: str = TOKEN, headers: Any = None, **query: Any
    ) -> httpx.Response:
        """Any call; a body that is not None goes as JSON."""
        given = headers_for(token) | (headers or {})
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


class ProcessReplica(Apart, Replica):
    """`python -m kb_search serve`."""


class Libraries(Deployment):
    """Kb-search's database and topics, and any number of replicas."""

    package = "kb_search"
    scopes: ClassVar = {TOKEN: ["*"], READER: ["knowledge:read"], STRANGER: ["contacts:write"]}

    async def local(self) -> Replica:
        """One more replica within this process, with all articles in its index."""
        replica = Replica(await self._within(build(KbSearchSettings.model_validate(self.environment))))
        await until(replica.ready, 30, "kb-search is ready")
        return replica

    async def replica(self) -> ProcessReplica:
        """One more replica as a process of its own, running."""
        return await self._running(ProcessReplica(self._program()))

    async def send(self, *records: Sent) -> None:
        """Puts records into the log, in this order, to the partitions of their keys."""
        await self.put(Line(topic, key.encode(), value, headers) for topic, key, value, headers in records)

    async def stated(self, stream: str) -> list[tuple[str, Json]]:
        """The events of a stream, by type and payload, in their order."""
        rows = await self.rows("select type, payload from events where stream = $1 order by version", stream)
        return [(type_, json.loads(payload)) for type_, payload in rows]


class Customer:
    """Somebody with a key of his own, who says something."""

    def __init__(self, customer_id: str) -> None:
        self.customer_id = customer_id
        self._key = CustomerKey(customer_id)

    def made(self) -> Sent:
        """KeyMade, as intake tells it."""
        return event("KeyMade", self.customer_id, value=self._key.made())

    def destroyed(self) -> Sent:
        """KeyDestroyed: the person is erased."""
        return event("KeyDestroyed", self.customer_id, value=self._key.destroyed())

    def contact(self, request_id: str, *, source: str = "/services/intake", **data: Any) -> Sent:
        """ContactReceived."""
        who = {"channel": "chat", "customer": {"id": self.customer_id}, "customer_id": self.customer_id}
        return self._says("ContactReceived", request_id, who | data, source)

    def message(self, request_id: str, *, source: str = "/services/intake", **data: Any) -> Sent:
        """MessageReceived."""
        return self._says("MessageReceived", request_id, {"channel": "chat"} | data, source)

    def _says(self, type_: str, request_id: str, data: Json, source: str) -> Sent:
        event_id = new_id()
        value = encode_data(type_, data, event_id=event_id, key_id=self.customer_id, sealer=self._key.sealer())
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


async def all_of(calls: Iterable[Any]) -> list[Any]:
    """All at once."""
    return list(await asyncio.gather(*calls))
