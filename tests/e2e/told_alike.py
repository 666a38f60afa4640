"""How a request stands as router, escalation and audit each tell it: one story, or the test fails with all three."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import asyncpg

from tests.support.until import until
from throughline.demo.wire import Wire

Json = dict[str, Any]
Standing = dict[str, Any]
HEARD_S = 30.0
ROUTER, ESCALATION = "/services/router", "/services/escalation"
MEMBERS = ("state", "leg", "cycle", "queue", "tier", "agent_id")
_STANDING = f"select version, {', '.join(MEMBERS)} from requests where request_id = $1"


@dataclass(frozen=True, slots=True)
class Story:
    """What all three agree upon, and audit's timeline."""

    standing: Standing
    timeline: Json

    @property
    def course(self) -> list[str]:
        """The types of the events that moved it, in their order."""
        return [event["type"] for event in self.timeline["events"] if event["effect"] == "applied"]

    @property
    def types(self) -> list[str]:
        """The types of all its events."""
        return [event["type"] for event in self.timeline["events"]]

    @property
    def event_ids(self) -> set[str]:
        ids = [event["event_id"] for event in self.timeline["events"]]
        assert len(set(ids)) == len(ids), "an event is told twice"
        return set(ids)


class Witnesses:
    """The three, asked about the same requests; escalation's standing is in its database alone."""

    def __init__(self, wire: Wire, escalation: asyncpg.Pool) -> None:
        self._wire = wire
        self._escalation = escalation

    async def story(self, request_id: str) -> Story:
        """Once audit has each event that was stated or answered with yes, and all three tell the same."""
        told: Json = {}

        async def alike() -> bool:
            told.update(await self._ask(request_id))
            return bool(told["heard"]) and told["router"] == told["escalation"] == told["audit"]

        try:
            await until(alike, HEARD_S)
        except AssertionError as error:
            raise AssertionError(f"{request_id} is not told alike: {told}") from error
        assert told["timeline"]["residual_us"] == 0
        assert [await self._clocks(request_id)] == [_clocks_due(told["timeline"])], request_id
        return Story(told["router"], told["timeline"])

    async def _ask(self, request_id: str) -> Json:
        view = await self._wire.get("router", f"/v1/requests/{request_id}")
        row = await self._escalation.fetchrow(_STANDING, request_id)
        answer = await self._wire.call("audit", "GET", f"/v1/requests/{request_id}/timeline", but={404})
        timeline = answer.json() if answer.is_success else {}
        return {
            "heard": timeline.get("complete") and self._has_all(timeline["events"], view, row),
            "router": {name: view[name] for name in MEMBERS},
            "escalation": {name: row[name] for name in MEMBERS} if row else None,
            "audit": _last(timeline),
            "timeline": timeline,
        }

    def _has_all(self, events: list[Json], view: Json, row: asyncpg.Record | None) -> bool:
        """Whether all that router and escalation have stated is there, and all that anybody was answered with."""
        (request_id,), stated = {event["request_id"] for event in events}, [event["source"] for event in events]
        answered = {each for each, what in self._wire.answered.events.items() if request_id in what}
        own = {ROUTER: view["version"], ESCALATION: row["version"] if row else None}
        return answered <= {each["event_id"] for each in events} and all(
            stated.count(source) == count for source, count in own.items()
        )

    async def _clocks(self, request_id: str) -> list[tuple[str, int]]:
        items = (await self._wire.get("escalation", f"/v1/requests/{request_id}/clocks"))["items"]
        return [(item["state"], item["cycle"]) for item in items]


def _last(timeline: Json) -> Standing | None:
    """How it stands by the last segment."""
    segments = timeline.get("segments")
    return {name: segments[-1][name] for name in MEMBERS} if segments else None


def _clocks_due(timeline: Json) -> list[tuple[str, int]]:
    """The one promise that a stack begins with is to connect: kept, still open, or given up by the customer in time."""
    if timeline["connected_at"]:
        return [("met", 1)]
    return [] if timeline["state"] in ("resolved", "abandoned") else [("running", 1)]
