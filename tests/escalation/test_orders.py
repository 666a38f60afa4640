"""The use cases behind the API: what is answered, what is refused, and what is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chassis.commands import Use
from chassis.errors import Conflict, Invalid, KeyReused, NotFound
from escalation.app.escalations import Escalations
from escalation.app.following import take
from escalation.app.ports import Seal, Unit
from escalation.app.rulebook import Rulebook
from escalation.domain.escalate import Escalate
from escalation.domain.request import Heard
from escalation.domain.rules import Kind
from events.policies import CalendarVersioned, SlaPolicyVersioned, Window
from tests.escalation.given import AGENT, CONTACT, MINUTE, at, promise
from tests.escalation.memory import MemoryRuleStore, MemoryStore
from tests.escalation.test_watch import Hand

SEAL = Seal("c-1", None)
OFFICE = CalendarVersioned(
    name="office", version=1, time_zone="UTC", week={"mon": [Window(start="08:00", end="17:00")]}
)


class Desk:
    """The use cases on stores in memory."""

    def __init__(self) -> None:
        self.store, self.time = MemoryStore(), Hand(at(5))
        self.rules = MemoryRuleStore()
        self.escalations = Escalations(self.store, self.rules, self._seal, self.time)
        self.rulebook = Rulebook(self.rules)

    async def hears(self, *types: str) -> None:
        async def work(unit: Unit) -> None:
            for minute, type_ in enumerate(types):
                data = CONTACT if type_ == "ContactReceived" else AGENT
                await take(unit, Heard(f"e-{minute}", type_, "r-1", data, at(minute), at(minute)), 3)

        await self.store.change(["r-1"], work)

    async def escalate(self, event_id: str = "x-1", use: Use | None = None, **facts: Any) -> dict[str, Any]:
        order = Escalate(**{"event_id": event_id, "by": "chief", "reason": "too hard", **facts})
        answer: dict[str, Any] = json.loads(await self.escalations.escalate("r-1", order, use))
        return answer

    async def put(self, draft: SlaPolicyVersioned | CalendarVersioned, use: Use | None = None) -> dict[str, Any]:
        kind: Kind = "sla" if isinstance(draft, SlaPolicyVersioned) else "calendar"
        answer: dict[str, Any] = json.loads(await self.rulebook.put(kind, draft, use))
        return answer

    async def _seal(self, customer_id: str) -> Seal:
        assert customer_id == "c-1"
        return SEAL


def policy(**members: Any) -> SlaPolicyVersioned:
    return SlaPolicyVersioned(**{"name": "default", "version": 1, "promises": [promise()], **members})


async def test_an_escalation_is_kept_under_the_customers_seal_and_answered() -> None:
    desk = Desk()
    await desk.hears("ContactReceived")
    assert await desk.escalate() == {"request_id": "r-1", "event_id": "x-1", "to_tier": 2}
    ((_, statement, seal),) = desk.store.stated
    assert (statement.event_id, seal) == ("x-1", SEAL)


async def test_an_escalation_again_is_answered_with_the_one_that_is_pending() -> None:
    desk = Desk()
    await desk.hears("ContactReceived")
    assert await desk.escalate("x-2") == await desk.escalate("x-1", to_tier=3) | {"event_id": "x-2", "to_tier": 2}
    assert desk.store.types("r-1") == ["Escalated"]


async def test_a_key_gets_its_first_answer_though_the_request_is_closed() -> None:
    desk, use = Desk(), Use("POST /x", "k-1", b"h")
    await desk.hears("ContactReceived")
    first = await desk.escalate("x-1", use)
    await desk.hears("ContactReceived", "Resolved")
    assert await desk.escalate("x-2", use) == first
    with pytest.raises(KeyReused):
        await desk.escalate("x-2", Use("POST /x", "k-1", b"other"))
    with pytest.raises(Conflict):
        await desk.escalate("x-2")


@pytest.mark.parametrize("request_id", ["r-2", "", "a/b", "ü", "x" * 101])
async def test_what_was_not_heard_of_is_not_found(request_id: str) -> None:
    desk = Desk()
    with pytest.raises(NotFound):
        await desk.escalations.escalate(request_id, Escalate(event_id="x-1", by="chief", reason=""))
    with pytest.raises(NotFound):
        await desk.escalations.clocks(request_id)


async def test_a_conflict_names_the_state_and_the_holder() -> None:
    desk = Desk()
    await desk.hears("ContactReceived", "Resolved")
    with pytest.raises(Conflict) as refused:
        await desk.escalate()
    assert (refused.value.state, refused.value.holder) == ("resolved", None)


async def test_a_tier_that_is_not_higher_is_named() -> None:
    desk = Desk()
    await desk.hears("ContactReceived")
    with pytest.raises(Invalid) as refused:
        await desk.escalate(to_tier=1)
    assert refused.value.errors[0]["field"] == "to_tier"


async def test_clocks_are_read_as_they_stand_now() -> None:
    desk = Desk()
    await desk.hears("ContactReceived")
    (reading,) = await desk.escalations.clocks("r-1")
    assert (reading.state, reading.consumed_us) == ("running", 5 * MINUTE)
    await desk.hears("ContactReceived", "Abandoned")
    assert await desk.escalations.clocks("r-1") == []


async def test_a_policy_gets_its_versions() -> None:
    desk = Desk()
    made = await desk.put(policy(version=77))
    assert (made["version"], made["promises"][0]["promise"]) == (2, "connect")
    assert (await desk.put(policy()))["version"] == 2
    assert (await desk.put(policy(promises=[])))["version"] == 3
    shown = [json.loads(await desk.rulebook.get("sla", "default", version))["version"] for version in (1, 2, None)]
    assert shown == [1, 2, 3]


async def test_what_is_shown_may_be_put_again() -> None:
    desk = Desk()
    shown = json.loads(await desk.rulebook.get("sla", "default", None))
    assert await desk.put(SlaPolicyVersioned.model_validate(shown)) == shown


async def test_a_policy_needs_its_calendars() -> None:
    desk = Desk()
    with pytest.raises(Invalid) as refused:
        await desk.put(policy(promises=[promise(calendar="office")]))
    assert refused.value.errors[0]["field"] == "promises.0.calendar"
    assert (await desk.put(OFFICE))["version"] == 1
    assert (await desk.put(policy(promises=[promise(calendar="office")])))["version"] == 2


async def test_a_calendar_that_cannot_be_counted_is_refused() -> None:
    desk = Desk()
    with pytest.raises(Invalid):
        await desk.put(OFFICE.model_copy(update={"week": {}}))


async def test_a_key_makes_one_version() -> None:
    desk, use = Desk(), Use("PUT /x", "k-1", b"h")
    first = await desk.put(policy(), use)
    await desk.put(policy(promises=[]))
    assert await desk.put(policy(), use) == first
    with pytest.raises(KeyReused):
        await desk.put(policy(), Use("PUT /x", "k-1", b"other"))


@pytest.mark.parametrize(("name", "version"), [("gold", None), ("default", 2), ("default", 0)])
async def test_a_version_that_there_is_not_is_not_found(name: str, version: int | None) -> None:
    with pytest.raises(NotFound):
        await Desk().rulebook.get("sla", name, version)
