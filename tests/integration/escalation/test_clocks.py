"""Clocks on the real stack: warned, broken, met, each once and never early, and corrected where the log says so."""

from __future__ import annotations

from typing import Any

import pytest

from events.times import to_text, to_us
from tests.integration.escalation.world import World
from tests.support.escalation import SECOND, Life, now_us
from tests.support.until import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


def queue_of(life: Life) -> dict[str, Any]:
    """A queue of this test's own, so that its promise is nobody else's."""
    return {"queue": f"q-{life.request_id}"}


async def promised(world: World, life: Life, target_s: float, **members: Any) -> None:
    """A promise to the queue of this life alone."""
    match = {"queues": [queue_of(life)["queue"]]}
    await world.replica.promise(
        target_s, name=f"p-{life.request_id}", match=match, promise="time_to_connect", **members
    )


async def test_the_default_promise_goes_by_priority(world: World) -> None:
    for priority, target_s in ((100, 60), (99, 300), (50, 300), (49, 900), (0, 900)):
        life = Life()
        await world.known(life, life.received(priority=priority))
        (clock,) = await world.replica.clocks(life.request_id)
        assert (clock["promise"], clock["state"], clock["policy_version"]) == ("time_to_connect", "running", 1)
        assert clock["target_us"] == target_s * SECOND
        assert to_us(clock["due_at"]) == life.at_us + target_s * SECOND
        assert to_us(clock["warn_at"]) == life.at_us + target_s * SECOND * 8 // 10
        assert 0 < clock["consumed_us"] < 60 * SECOND


async def test_a_promise_is_warned_of_and_broken_once_each_and_never_early(world: World) -> None:
    life = Life()
    await promised(world, life, 1.5, warn_at_percent=50)
    life.at_us = now_us()
    await world.known(life, life.received(**queue_of(life)))
    warned, broken = await world.comes(life, "SlaWarned", "SlaBreached")
    assert warned["occurred_us"] > life.at_us + 750_000
    assert broken["occurred_us"] > life.at_us + 1_500_000 == to_us(broken["due_at"])
    assert (warned["consumed_us"], broken["consumed_us"]) == (750_000, 1_500_000)
    assert await world.replica.states(life.request_id) == ["breached"]
    (item,) = await listed(world, life)
    assert (item["due_at"], item["promise"], item["queue"]) == (broken["due_at"], "time_to_connect", broken["queue"])
    assert to_us(item["detected_at"]) == broken["occurred_us"]
    await world.known(life, life.connected(after_s=2))
    assert await world.replica.states(life.request_id) == ["breached"]
    await world.comes(life, "SlaWarned", "SlaBreached")


async def test_a_promise_is_met_by_its_moment(world: World) -> None:
    life = Life()
    await promised(world, life, 30)
    await world.known(life, life.received(**queue_of(life)), life.routed(), life.connected("a-7", after_s=29.999))
    (met,) = await world.comes(life, "SlaMet")
    assert (met["agent_id"], met["consumed_us"]) == ("a-7", life.at_us - (life.at_us - 30 * SECOND))
    assert await world.replica.states(life.request_id) == ["met"]


async def test_a_promise_that_was_kept_too_late_is_broken_without_an_alarm(world: World) -> None:
    life = Life()
    await promised(world, life, 30, warn_at_percent=80)
    life.at_us = now_us()
    await world.known(life, life.received(**queue_of(life)), life.connected(after_s=31))
    _, broken = await world.comes(life, "SlaWarned", "SlaBreached")
    assert (broken["occurred_us"] > life.at_us, broken["consumed_us"]) == (True, 30 * SECOND)


async def test_a_promise_is_made_by_the_rules_of_its_moment(world: World) -> None:
    life = Life(now_us() - 60 * SECOND)
    await promised(world, life, 30)
    await world.known(life, life.received(**queue_of(life)))
    (clock,) = await world.replica.clocks(life.request_id)
    assert (clock["policy"], clock["target_us"]) == ("default", 900 * SECOND)


@pytest.mark.parametrize(("late", "corrects"), [("Connected", "SlaMet"), ("Abandoned", "SlaWithdrawn")])
async def test_a_verdict_that_a_late_event_overturns_is_corrected(world: World, late: str, corrects: str) -> None:
    life = Life()
    await promised(world, life, 1)
    life.at_us = now_us()
    await world.known(life, life.received(**queue_of(life)))
    await world.comes(life, "SlaBreached")
    # The router had seen it in time: its event was on its way for long.
    event = life.event(late, {"agent_id": "a-1"}, after_s=0.5)
    await world.service.send(event)
    _, correction = await world.comes(life, "SlaBreached", corrects)
    assert correction["occurred_us"] > event.envelope.occurred_us
    assert await world.replica.states(life.request_id) == (["met"] if corrects == "SlaMet" else [])
    assert await listed(world, life) == []
    (item,) = await listed(world, life, corrected=True)
    assert to_us(item["corrected_at"]) >= to_us(item["detected_at"])


async def listed(world: World, life: Life, **query: Any) -> list[dict[str, Any]]:
    """The life's breaches."""
    items = (await world.replica.json("/v1/breaches", limit=1000, **query))["items"]
    return [item for item in items if item["request_id"] == life.request_id]


async def test_a_breach_escalates_where_the_policy_says_so(world: World) -> None:
    life = Life()
    await promised(world, life, 1, escalates=True)
    life.at_us = now_us()
    await world.known(life, life.received(**queue_of(life)))
    broken, escalated = await world.comes(life, "SlaBreached", "Escalated")
    assert (escalated["to_tier"], escalated["by"]) == (2, "promise:time_to_connect")
    assert escalated["policy"] == f"p-{life.request_id}"
    rows = await world.service.rows(
        "select e.causation_id = b.event_id from events e, events b "
        "where e.stream = $1 and e.type = 'Escalated' and b.stream = $1 and b.type = 'SlaBreached'",
        life.request_id,
    )
    assert rows == [(True,)]
    assert broken["leg"] == escalated["leg"] == 1
    # And who asks for one by hand is told of this one.
    answer = await world.replica.escalate(life.request_id)
    assert answer.json()["to_tier"] == 2
    await world.comes(life, "SlaBreached", "Escalated")


async def test_the_same_event_again_changes_nothing(world: World) -> None:
    life = Life()
    received, connected = life.received(), life.connected(after_s=2)
    await world.known(life, received, connected, received, connected)
    other = Life()
    await world.known(other, received, connected, other.received())
    await world.comes(life, "SlaMet")


async def test_a_request_that_is_given_up_has_no_promise_left(world: World) -> None:
    life = Life()
    await promised(world, life, 1)
    life.at_us = now_us()
    await world.known(life, life.received(**queue_of(life)), life.abandoned(after_s=0.2))
    assert await world.replica.clocks(life.request_id) == []
    other = Life()
    await world.known(other, other.received())
    await until(lambda: now_us() > life.at_us + 2 * SECOND, 5)
    assert await world.service.stated(life.request_id) == []


async def test_breaches_are_listed_by_their_due_moment(world: World) -> None:
    lives = [Life() for _ in range(3)]
    for life in lives:
        await promised(world, life, 1)
    start = now_us()
    for number, life in enumerate(lives):
        life.at_us = start + number * 1_000
        await world.service.send(life.received(**queue_of(life)))
    for life in lives:
        await world.comes(life, "SlaBreached")
    first, last = lives[0].at_us + SECOND, lives[2].at_us + SECOND
    window = {"from_": to_text(first), "to": to_text(last)}
    due = [item["due_at"] for item in (await world.replica.json("/v1/breaches", **window))["items"]]
    assert due == [to_text(lives[1].at_us + SECOND), to_text(first)]
    pages = []
    cursor = None
    while True:
        page = await world.replica.json("/v1/breaches", limit=1, cursor=cursor, **window)
        pages += [item["due_at"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert pages == due
    wrong = await world.replica.get("/v1/breaches", from_=to_text(last), to=to_text(first))
    assert wrong.status_code == 422
