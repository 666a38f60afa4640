"""The services over HTTP as a gateway and a CRM use them: each command under a key, asked again while one is busy."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import stamina

from throughline.client import BUSY, Busy, accepted, again, headers, refusal, unreachable
from throughline.event_lines import events_of
from throughline.stack import Stack
from throughline.trouble import Trouble

PATIENCE_S = 30.0
TIMEOUT_S = 20.0
MOST_CONNECTIONS = 400
NOT_FOUND = 404
KNOWN_WITHIN_S, ASKS_AGAIN_S = 20.0, 0.1
LISTEN = httpx.Timeout(TIMEOUT_S, read=None)  # a stream may be silent for as long as nothing happens


@dataclass(slots=True)
class Answered:
    """What the services said yes to: the requests that intake took with 202, and each event id with its words."""

    requests: list[str] = field(default_factory=list)
    events: dict[str, str] = field(default_factory=dict)
    retries: int = 0  # posted again under the same key, and known as such

    def note(self, answer: Any, what: str) -> None:
        """Keeps the event that an answer names, if it names one."""
        if isinstance(answer, dict) and answer.get("event_id"):
            self.events[str(answer["event_id"])] = what


class Wire:
    """One run's calls. `run` makes its keys its own; what was answered well is noted in `answered`."""

    def __init__(self, stack: Stack, http: httpx.AsyncClient, run: str, *, patience_s: float = PATIENCE_S) -> None:
        self.stack, self.run, self.patience_s = stack, run, patience_s
        self.answered = Answered()
        self._http = http
        self._numbers = itertools.count(1)

    async def get(self, service: str, path: str, **query: Any) -> Any:
        """The JSON answer; Trouble for a refusal, Unreachable where there is none in time."""
        return (await self.call(service, "GET", path, params=query)).json()

    async def put(self, service: str, path: str, body: Any, *, but: Collection[int] = ()) -> httpx.Response:
        """Puts something in its place; a status in `but` is an answer too."""
        return await self.call(service, "PUT", path, but=but, json=body)

    async def command(
        self, service: str, path: str, body: Any, *, but: Collection[int] = (), key: str | None = None
    ) -> httpx.Response:
        """A POST under a key of its own, or the given one, so that it can be asked again; notes the event it led to."""
        key = key or self.new_key()
        answer = await self.call(service, "POST", path, but=but, json=body, headers={"Idempotency-Key": key})
        if answer.is_success:
            self.answered.note(_body(answer), f"{service} {path}")
        return answer

    async def once_known(self, service: str, path: str, body: Any, *, but: Collection[int] = ()) -> httpx.Response:
        """A command to a service that learns of requests from the log: a 404 at first is no refusal."""
        deadline = time.monotonic() + KNOWN_WITHIN_S
        while True:
            answer = await self.command(service, path, body, but={NOT_FOUND, *but})
            if answer.status_code != NOT_FOUND:
                return answer
            if time.monotonic() > deadline:
                raise Trouble(f"{service} has not heard of {path} after {KNOWN_WITHIN_S:g} s", "is the log going on?")
            await asyncio.sleep(ASKS_AGAIN_S)

    async def call(
        self, service: str, method: str, path: str, *, but: Collection[int] = (), **more: Any
    ) -> httpx.Response:
        """A 2xx answer, or one with a status in `but`. For calls that may be repeated."""
        url = self.stack.url(service) + path
        try:
            async for attempt in stamina.retry_context(on=again, attempts=None, timeout=self.patience_s, wait_max=2):
                with attempt:
                    return _taken(await self._http.request(method, url, **more), but)
        except (httpx.TransportError, Busy) as error:
            raise unreachable(service, url, error) from error
        raise AssertionError("a retry context ends by a return or an error")

    async def stream(self, service: str, path: str) -> AsyncIterator[tuple[str, Any]]:
        """The name and the data of each server-sent event; ends with the connection. Raises httpx.TransportError."""
        async with self._http.stream("GET", self.stack.url(service) + path, timeout=LISTEN) as response:
            if response.status_code in BUSY:
                return
            if not response.is_success:
                await response.aread()
                raise refusal(response)
            async for told in events_of(response.aiter_lines()):
                yield told.event, told.data

    def new_key(self) -> str:
        """A key that nobody else has."""
        return f"{self.run}-{next(self._numbers)}"


@asynccontextmanager
async def connected(stack: Stack, run: str, transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[Wire]:
    """A wire for one run; its connections are closed at the end."""
    limits = httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS)
    client = httpx.AsyncClient(headers=headers(stack), timeout=TIMEOUT_S, limits=limits, transport=transport)
    async with client as http:
        yield Wire(stack, http, run)


def _taken(response: httpx.Response, but: Collection[int]) -> httpx.Response:
    """A key that is still being worked on is no conflict but a matter of waiting."""
    if response.status_code in but:
        if str(_problem(response).get("type", "")).endswith("/in-flight"):
            raise Busy(response)
        return response
    return accepted(response)


def _problem(response: httpx.Response) -> dict[str, Any]:
    body = _body(response) if not response.is_success else None
    return body if isinstance(body, dict) else {}


def _body(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
