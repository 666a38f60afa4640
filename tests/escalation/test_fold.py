"""What is taken of the log: right, wrong, foreign, and about requests that nobody has heard of."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from escalation.app.following import take
from escalation.app.ports import Unit
from escalation.domain.request import Heard
from tests.escalation.given import CONTACT, Story, at, promise, rules
from tests.escalation.memory import MemoryStore


def test_a_contact_that_says_little_has_the_usual_standing() -> None:
    request = Story(rules()).request
    assert (request.support_level, request.severity, request.priority) == ("standard", 3, 0)
    assert (request.standing.queue, request.standing.tier, request.standing.cycle) == ("default", 1, 1)


def test_what_a_contact_says_is_kept() -> None:
    request = Story(rules(), support_level="gold", severity=1, priority=100, queue="cards", subject="?").request
    assert (request.support_level, request.severity, request.priority) == ("gold", 1, 100)
    assert request.standing.queue == "cards"


@pytest.mark.parametrize(
    "wrong", [{"customer_id": None}, {"channel": "pigeon"}, {"severity": "worst"}, {"priority": 101}]
)
def test_a_contact_that_is_none_is_refused_before_anything_is_kept(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Story(rules(), **wrong)


@pytest.mark.parametrize("data", [{"reason": "classified", "tier": 70_000}, {"reason": "classified", "queue": ""}])
def test_a_standing_that_no_event_of_ours_can_have_is_left_out_of_verdicts(data: dict[str, Any]) -> None:
    story = Story(rules(promise(escalates=True))).then("Requeued", 1, data).waits(11)
    assert story.stated[:2] == ["SlaWarned", "SlaBreached"]


async def test_of_a_request_that_was_never_received_nothing_is_kept() -> None:
    store = MemoryStore()

    async def work(unit: Unit) -> None:
        await take(unit, Heard("e-1", "Routed", "r-1", {"agent_id": "a-1"}, at(1), at(1)), 3)

    await store.change(["r-1"], work)
    assert store.requests == {}


async def test_a_contact_that_is_received_again_changes_nothing() -> None:
    store = MemoryStore()
    for minute in (0, 5):

        async def work(unit: Unit, minute: int = minute) -> None:
            await take(unit, Heard(f"e-{minute}", "ContactReceived", "r-1", CONTACT, at(minute), at(minute)), 3)

        await store.change(["r-1"], work)
    assert (store.requests["r-1"].received_us, len(store.requests["r-1"].clocks)) == (at(0), 1)


def test_an_event_that_is_older_than_what_is_known_takes_nothing_back() -> None:
    story = Story(rules()).then("Routed", 5).then("Connected", 3)
    assert (story.request.state, story.request.last_us) == ("connected", at(5))
