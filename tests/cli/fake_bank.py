"""All five services in memory, as far as the demo calls them: what is not said here is answered 404."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from events.lifecycle import UNKNOWN, Entry, Standing, State, evolve, fold, timeline
from events.times import to_text, to_us
from throughline.demo.tally import CLOSED, Said
from throughline.stack import Stack

NAMES = ("intake", "router", "escalation", "audit", "kb-search")
STACK = Stack({name: f"http://{name}.test" for name in NAMES}, "secret")
INTAKE, ROUTER, ESCALATION = "/services/intake", "/services/router", "/services/escalation"
LAPSE_S = 0.3

Body = dict[str, Any]


class Refused(Exception):
    """Answered with this status."""

    def __init__(self, status: int) -> None:
        self.status = status


class FakeBank:
    """Matches at once, first come first served. `busy` answers 429 that many times first; `gone` services never do."""

    def __init__(self, *, busy: int = 0, gone: tuple[str, ...] = ()) -> None:
        self.busy, self.gone = busy, gone
        self.log: list[Body] = []
        self.standing: dict[str, Standing] = {}
        self.channel: dict[str, str] = {}
        self.offered_at: dict[str, float] = {}
        self.agents: dict[str, Body] = {}
        self.presence: dict[str, str] = {}
        self.articles: dict[str, Body] = {}
        self.policies: dict[str, Body] = {}
        self.answers: dict[tuple[str, str], Body] = {}
        self.last: dict[str, tuple[tuple[str, str | None], str]] = {}
        self.said = Counter[tuple[str, str]]()
        self._ids = itertools.count(1)
        self._now_us = to_us("2026-11-20T07:00:00Z")
        self.news: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def transport(self) -> httpx.MockTransport:
        """What a client is given instead of the network."""
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """One call."""
        service, _, _ = request.url.host.partition(".")
        if service in self.gone:
            raise httpx.ConnectError("connection refused", request=request)
        if self.busy > 0:
            self.busy -= 1
            return httpx.Response(429, headers={"Retry-After": "0"}, json={"title": "Overloaded"})
        key = (request.url.path, request.headers.get("Idempotency-Key", ""))
        if key[1] and key in self.answers:
            return httpx.Response(202, json=self.answers[key] | {"duplicate": True})
        if request.url.path.endswith("/stream"):
            return httpx.Response(200, stream=Stream(self, request.url.path.split("/")[3]))
        parts = request.url.path.removeprefix("/v1/").split("/")
        body = json.loads(request.content) if request.content else {}
        try:
            told = self._told(service, request.method, parts, body, request.url.params)
        except Refused as refused:
            return httpx.Response(refused.status, json={"type": "/problems/conflict"})
        self._match()
        if key[1]:
            self.answers[key] = told
        return httpx.Response(202 if service == "intake" else 200, json=told)

    def _told(self, service: str, method: str, parts: list[str], body: Body, query: Mapping[str, str]) -> Body:
        tell = {"intake": self._intake, "router": self._router, "kb-search": self._knowledge}.get(service)
        if tell is not None:
            return tell(method, parts, body)
        if service == "escalation":
            return body if parts[0] == "policies" else self._escalate(parts[1], body)
        return self._audit(parts, query)

    def _intake(self, _: str, parts: list[str], body: Body) -> Body:
        match parts:
            case ["contacts"]:
                return self._receive(body)
            case ["requests", request_id, "messages"]:
                return self._hears(request_id, "MessageReceived", body)
            case ["requests", request_id, "feedback"]:
                return self._hears(request_id, "FeedbackReceived", body)
        raise Refused(404)

    def _router(self, method: str, parts: list[str], body: Body) -> Body:
        match method, parts:
            case "PUT", ["queues", queue, "policy"]:
                self.policies[queue] = body
                return body
            case "PUT", ["agents", agent_id]:
                self.agents[agent_id] = body
                return self._agent(agent_id)
            case "PUT", ["agents", agent_id, "presence"]:
                return self._be(agent_id, body["status"])
            case "GET", ["agents", agent_id]:
                return self._agent(agent_id)
            case "POST", ["requests", request_id, verb]:
                return self._act(request_id, verb, body)
        raise Refused(404)

    def _knowledge(self, method: str, parts: list[str], body: Body) -> Body:
        match method, parts:
            case "PUT", ["articles", article_id]:
                self.articles[article_id] = body
                return body
            case "GET", ["articles", article_id] if article_id in self.articles:
                return self.articles[article_id]
            case "GET", ["requests", _, "suggestions"]:
                return {"items": [{"article_id": name} for name in list(self.articles)[:3]]}
            case "POST", ["requests", request_id, "suggestions", article_id, "used"]:
                used = {"article_id": article_id, "agent_id": body["agent_id"]}
                return {"event_id": self._say(request_id, "SuggestionUsed", "/services/kb-search", used)}
        raise Refused(404)

    def _audit(self, parts: list[str], query: Mapping[str, str]) -> Body:
        match parts:
            case ["events"]:
                start = int(query.get("cursor", "0"))
                items = [] if "request_id" in query else self.log[start : start + int(query["limit"])]
                end = len(self.log) if "request_id" in query else start + len(items)
                return {"items": items, "next_cursor": str(end)}
            case ["requests", request_id, "timeline"] if request_id in self.standing:
                return self.timeline(request_id)
        raise Refused(404)

    def timeline(self, request_id: str) -> Body:
        """As audit folds it."""
        mine = [record for record in self.log if record["request_id"] == request_id]
        return timeline(
            fold([_entry(record) for record in mine]),
            request_id=request_id,
            as_of_us=self._now_us,
            open_data=lambda entry: entry.data,
        )

    def _receive(self, body: Body) -> Body:
        if continued := body.get("continues"):
            said = {"channel": body["channel"], "body": body["body"]}
            return self._hears(continued, "MessageReceived", said) | {"continued": True}
        request_id = f"r-{next(self._ids)}"
        self.channel[request_id] = body["channel"]
        event_id = self._say(request_id, "ContactReceived", INTAKE, body)
        return {"request_id": request_id, "event_id": event_id, "duplicate": False}

    def _hears(self, request_id: str, kind: str, body: Body) -> Body:
        event_id = self._say(request_id, kind, INTAKE, body)
        if kind == "MessageReceived" and self.standing[request_id].state in CLOSED:
            self._say(request_id, "Reopened", ROUTER, {"message_event_id": event_id}, event_id)
        return {"request_id": request_id, "event_id": event_id}

    def _be(self, agent_id: str, status: str) -> Body:
        self.presence[agent_id] = status
        for request_id, standing in list(self.standing.items()):
            if status == "offline" and standing.agent_id == agent_id:
                lost = standing.state != State.OFFERED
                kind, reason = ("Requeued", "agent_lost") if lost else ("OfferClosed", "withdrawn")
                self._say(request_id, kind, ROUTER, {"reason": reason, "agent_id": agent_id})
        return self._agent(agent_id)

    def _agent(self, agent_id: str) -> Body:
        return {"agent_id": agent_id, "assignments": self.held(agent_id)}

    def held(self, agent_id: str) -> list[Body]:
        """What an agent is offered and has."""
        return [
            {"request_id": name, "state": str(it.state), "leg": it.leg, "channel": self.channel[name]}
            for name, it in self.standing.items()
            if it.agent_id == agent_id
        ]

    def _act(self, request_id: str, verb: str, body: Body) -> Body:
        kinds = {"accept": "Connected", "decline": "OfferClosed", "pause": "Paused", "resume": "Resumed"}
        kinds |= {"resolve": "Resolved", "transfer": "Transferred", "abandon": "Abandoned"}
        if request_id not in self.standing:
            raise Refused(404)
        standing = self.standing[request_id]
        data = {name: value for name, value in body.items() if name not in ("leg", "note")}
        if verb == "decline":
            data["reason"] = "declined"
        mark, (last, event_id) = (verb, body.get("agent_id")), self.last.get(request_id, (None, ""))
        if mark == last:
            return {"request_id": request_id, "event_id": event_id}
        foreign = verb != "abandon" and (standing.agent_id != body["agent_id"] or standing.leg != body["leg"])
        moved = evolve(standing, Said(kinds[verb], data))
        if foreign or moved is standing or (verb == "accept" and standing.state != State.OFFERED):
            raise Refused(409)
        event_id = self._say(request_id, kinds[verb], ROUTER, data)
        self.last[request_id] = (mark, event_id)
        return {"request_id": request_id, "event_id": event_id}

    def _escalate(self, request_id: str, body: Body) -> Body:
        standing = self.standing.get(request_id, UNKNOWN)
        if standing.state in (None, *CLOSED):
            raise Refused(409 if standing.state else 404)
        data = {"to_tier": standing.tier + 1, "by": body["by"], "reason": body["reason"]}
        event_id = self._say(request_id, "Escalated", ESCALATION, data)
        self._say(request_id, "Requeued", ROUTER, {"reason": "escalated", "tier": data["to_tier"]}, event_id)
        return {"request_id": request_id, "event_id": event_id, "to_tier": data["to_tier"]}

    def _match(self) -> None:
        now = time.monotonic()
        for request_id, standing in list(self.standing.items()):
            if standing.state == State.OFFERED and now - self.offered_at[request_id] > LAPSE_S:
                self._say(request_id, "OfferClosed", ROUTER, {"reason": "expired", "agent_id": standing.agent_id})
        for request_id, standing in list(self.standing.items()):
            waits = standing.state == State.WAITING
            fitting = [name for name in self.agents if waits and self._fits(name, request_id)]
            if fitting:
                self.offered_at[request_id] = now
                data = {"agent_id": fitting[next(self._ids) % len(fitting)], "queue": standing.queue}
                self._say(request_id, "Routed", ROUTER, data | {"tier": standing.tier})

    def _fits(self, agent_id: str, request_id: str) -> bool:
        agent, standing, channel = self.agents[agent_id], self.standing[request_id], self.channel[request_id]
        there = self.presence.get(agent_id) == "available" and standing.tier == agent["tier"]
        if not there or standing.queue not in agent["queues"]:
            return False
        held = sum(it.agent_id == agent_id and self.channel[name] == channel for name, it in self.standing.items())
        return bool(held < agent["channels"].get(channel, 0))

    def _say(self, request_id: str, kind: str, source: str, data: Body, cause: str | None = None) -> str:
        event_id = f"e-{next(self._ids)}"
        self._now_us = max(self._now_us + 1, time.time_ns() // 1000)
        self.said[request_id, source] += 1
        self.last.pop(request_id, None)
        record = {
            "position": f"contacts/0/{len(self.log)}",
            "event_id": event_id,
            "request_id": request_id,
            "type": kind,
            "occurred_at": to_text(self._now_us),
            "source": source,
            "sequence": self.said[request_id, source],
            "causation_id": cause,
            "data": data,
            "duplicate": False,
        }
        self.log.append(record)
        self.standing[request_id] = evolve(self.standing.get(request_id, UNKNOWN), Said(kind, data))
        self.news[str(data.get("agent_id"))].set()
        return event_id


class Stream(httpx.AsyncByteStream):
    """An agent's stream: all that he is offered, told anew whenever something has happened to him."""

    def __init__(self, bank: FakeBank, agent_id: str) -> None:
        self.bank, self.agent_id = bank, agent_id

    async def __aiter__(self) -> AsyncIterator[bytes]:
        news = self.bank.news[self.agent_id]
        while True:
            for held in self.bank.held(self.agent_id):
                if held["state"] == State.OFFERED:
                    yield f"event: offer\ndata: {json.dumps(held)}\n\n".encode()
            await news.wait()
            news.clear()


def _entry(record: Body) -> Entry:
    names = ("event_id", "type", "source", "sequence", "causation_id")
    said = {name: record[name] for name in names}
    return Entry(**said, occurred_us=to_us(record["occurred_at"]), data=record["data"], position=record["position"])
