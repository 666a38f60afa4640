"""An agent at work: his stream tells him what he is offered, and he goes through the steps of each course."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import httpx

from throughline.demo.cases import Case, Cases
from throughline.demo.course import State, Step, course
from throughline.demo.crew import Agent, registration
from throughline.demo.scale import Scale
from throughline.demo.wire import Wire

LOOKS_ANYWAY_S = 10.0  # whatever the stream may have missed
LISTENS_AGAIN_S = 1.0
TELLS: Mapping[str, State] = {"offer": "offered", "connected": "connected", "paused": "paused"}
CONFLICT, NOT_FOUND = 409, 404


class Desk:
    """One agent of one run."""

    def __init__(self, agent: Agent, wire: Wire, cases: Cases, scale: Scale, seed: int) -> None:
        self.agent, self.wire, self.cases, self.scale, self.seed = agent, wire, cases, scale, seed
        self.agent_id = f"{agent.agent_id}-{wire.run}"
        self.status = "offline"
        self._back = asyncio.Event()
        self._attended: dict[tuple[str, int], asyncio.Task[None]] = {}

    @property
    def path(self) -> str:
        """Where the router has this agent."""
        return f"/v1/agents/{quote(self.agent_id)}"

    async def register(self) -> None:
        """Tells the router who this is."""
        await self.wire.put("router", self.path, registration(self.agent, self.wire.run))

    async def be(self, status: str) -> None:
        """Changes the presence. Who is lost drops everything; who is back looks at what he still holds."""
        self.status = status
        if status == "offline":
            self._drop()
        await self.wire.put("router", f"{self.path}/presence", {"status": status})
        self._back.set()

    async def work(self) -> None:
        """Until it is cancelled. An error in any course ends it."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(group))
            while True:
                self._back.clear()
                if self.status != "offline":
                    await self._look(group)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOKS_ANYWAY_S):
                        await self._back.wait()

    async def _listen(self, group: asyncio.TaskGroup) -> None:
        """A new stream begins with all that he holds, so a broken one costs no more than a moment."""
        while True:
            with suppress(httpx.TransportError):
                async for name, told in self.wire.stream("router", f"{self.path}/stream"):
                    if name in TELLS:
                        self._take(told["request_id"], told["leg"], TELLS[name], group)
            await asyncio.sleep(LISTENS_AGAIN_S)

    async def _look(self, group: asyncio.TaskGroup) -> None:
        view = await self.wire.get("router", self.path)
        for held in view["assignments"]:
            self._take(held["request_id"], held["leg"], held["state"], group)

    def _take(self, request_id: str, leg: int, state: State, group: asyncio.TaskGroup) -> None:
        """Begins with what is new; who is lost begins nothing."""
        if self.status != "offline" and (request_id, leg) not in self._attended:
            task = group.create_task(self._attend(request_id, leg, state, group))
            self._attended[request_id, leg] = task

    async def _attend(self, request_id: str, leg: int, state: State, group: asyncio.TaskGroup) -> None:
        """One leg of one request, from the offer on, or from where a computer failed in the middle of it.

        A step that was begun is finished, lest the customer never hears that he was helped.
        """
        case = await self.cases.of(request_id)
        if case is None:
            return
        used: list[str] = []
        for step in course(case.visit, self.agent, leg, self.seed, state):
            await asyncio.sleep(self.scale.lasts(step.after_s))
            if not await asyncio.shield(group.create_task(self._do(step, case, leg, used))):
                return

    async def _do(self, step: Step, case: Case, leg: int, used: list[str]) -> bool:
        """Whether it went well: a conflict means that the customer has gone, or somebody else has it by now."""
        if step.verb == "look":
            used += await self._suggested(case, uses=step.uses)
            return True
        if step.verb == "escalate":
            return await self._escalate(step, case)
        body = {"agent_id": self.agent_id, "leg": leg, **self._named(step.body)}
        if step.verb == "resolve" and used:
            body["articles"] = used
        path = f"/v1/requests/{case.request_id}/{step.verb}"
        answer = await self.wire.command("router", path, body, but={CONFLICT})
        went = answer.is_success
        self.cases.happened[step.verb if went else f"{step.verb} refused"] += 1
        if went and step.verb == "accept":
            case.connected.set()
        if went and step.verb == "resolve":
            case.closed.set()
        return went

    async def _suggested(self, case: Case, *, uses: bool) -> list[str]:
        """The article that helped, if one did."""
        path = f"/v1/requests/{case.request_id}/suggestions"
        answer = await self.wire.call("kb-search", "GET", path, but={NOT_FOUND})
        items = answer.json()["items"] if answer.is_success else []
        self.cases.happened["suggestions read"] += bool(items)
        if not items or not uses:
            return []
        article_id = str(items[0]["article_id"])
        await self.wire.command("kb-search", f"{path}/{quote(article_id)}/used", {"agent_id": self.agent_id})
        self.cases.happened["suggestions used"] += 1
        return [article_id]

    async def _escalate(self, step: Step, case: Case) -> bool:
        path = f"/v1/requests/{case.request_id}/escalations"
        answer = await self.wire.once_known("escalation", path, {**step.body, "by": self.agent_id}, but={CONFLICT})
        self.cases.happened["escalate" if answer.is_success else "escalate refused"] += 1
        return answer.is_success

    def _named(self, body: dict[str, Any]) -> dict[str, Any]:
        """A step's body with the run's own queue in place of the bank's."""
        to = body.get("to")
        return body if to is None else {**body, "to": {"queue": f"{to['queue']}-{self.wire.run}"}}

    def _drop(self) -> None:
        for task in self._attended.values():
            task.cancel()
        self._attended.clear()
