"""Batches of the log on a real database: written together, and what one record spoils is that record's alone."""

from __future__ import annotations

import random

import pytest

from chassis.caution import RecordFailed
from chassis.records import Record
from events.contacts import ContactReceived, Customer, MessageReceived, Resolved
from router.domain.follow import INTAKE
from router.domain.request import SOURCE
from tests.router.given import abandon
from tests.support.routing import Routing

TOO_LONG = "".join(random.Random(1).choices("0123456789abcdef", k=20_000))


def contact(desk: Routing, request_id: str, queue: str = "default") -> Record:
    said = ContactReceived(channel="voice", customer=Customer(id="c-1"), customer_id="c-1", queue=queue)
    return desk.record(said, request_id, source=INTAKE)


async def known(desk: Routing) -> list[str]:
    return [row["request_id"] for row in await desk.rows("select request_id from requests order by request_id")]


async def test_a_batch_begins_all_its_requests_and_tells_of_their_queues(desk: Routing) -> None:
    await desk.take(*(contact(desk, f"r-{n}", queue=f"q-{n % 2}") for n in range(4)), contact(desk, "r-0"))
    assert await known(desk) == ["r-0", "r-1", "r-2", "r-3"]
    assert (await desk.request("r-0")).standing.queue == "q-0"
    assert {queue for told in desk.told for queue in told.queues} == {"q-0", "q-1"}


async def test_what_follows_in_the_same_batch_finds_what_began_in_it(desk: Routing) -> None:
    at = desk.clock.now_us() + 5
    message = desk.record(MessageReceived(channel="sms"), "r-1", source=INTAKE, at=at)
    await desk.take(contact(desk, "r-1"), contact(desk, "r-2"), message)
    assert ((await desk.request("r-1")).last_us, await known(desk)) == (at, ["r-1", "r-2"])


async def test_closings_of_a_batch_are_seen_together_and_before_what_stands_behind_them(desk: Routing) -> None:
    closed = []
    for n in range(3):
        await desk.contact(f"r-{n}")
        await desk.order(f"r-{n}", abandon())
        fact = Resolved(leg=1, cycle=1, queue="default", tier=1, channel="voice")
        closed.append(desk.record(fact, f"r-{n}", source=SOURCE, sequence=1))
    early = desk.record(MessageReceived(channel="sms"), "r-0", source=INTAKE, at=1, logged=1)
    await desk.take(*closed, early)
    assert [(await desk.request(f"r-{n}")).standing.state for n in range(3)] == ["waiting", "abandoned", "abandoned"]
    assert (await desk.request("r-2")).closing_logged


async def test_a_record_that_cannot_be_written_is_found_and_keeps_nobody_else_back(desk: Routing) -> None:
    batch = [contact(desk, "r-1"), contact(desk, "r-2", queue=TOO_LONG), contact(desk, "r-3")]
    with pytest.raises(Exception, match="index row"):
        await desk.take(*batch)
    with pytest.raises(RecordFailed) as failed:
        await desk.take(*batch)
    assert failed.value.record is batch[1]
    assert await known(desk) == []
    await desk.take(batch[0])
    await desk.take(batch[2])
    assert await known(desk) == ["r-1", "r-3"]


async def test_after_a_batch_that_failed_the_same_session_loses_nothing(desk: Routing) -> None:
    with pytest.raises(Exception, match="index row"):
        await desk.take(contact(desk, "r-1"), contact(desk, "r-2", queue=TOO_LONG))
    await desk.take(contact(desk, "r-3"))
    assert await known(desk) == ["r-3"]
