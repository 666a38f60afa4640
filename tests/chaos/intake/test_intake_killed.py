"""Intake killed with 64 callers waiting: whoever got a 202 is in the store, and every retried key is one request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import httpx

from tests.support.intake import Intakes, Replica, contact
from tests.support.until import until

WAITING = 64
ONE_EACH = "select count(distinct stream) from events where type = 'ContactReceived'"


async def outcome(call: Awaitable[httpx.Response]) -> httpx.Response | None:
    """The answer; None where the connection died first."""
    try:
        return await call
    except httpx.HTTPError:
        return None


async def killed_with_all_waiting(service: Intakes, intake: Replica) -> list[httpx.Response | None]:
    """Sends `WAITING` contacts while nothing can be committed, kills intake, and gives what each caller got."""
    async with service.held("lock table requests in exclusive mode"):
        calls = [asyncio.create_task(outcome(send(intake, n))) for n in range(WAITING)]
        await until(service.waits_for_lock, what="the first batch waits in its transaction")
        await until(lambda: intake.callers >= WAITING or all(call.done() for call in calls), what="all have arrived")
        await intake.kill()
        return await asyncio.gather(*calls)


async def send(intake: Replica, n: int) -> httpx.Response:
    """The nth contact, with the nth key."""
    return await intake.contact(contact(customer={"id": f"c-{n}"}), key=f"k-{n}")


async def test_every_key_that_waited_ends_as_exactly_one_request(service: Intakes) -> None:
    # So patient that all of them wait, and none is refused for the age of the first.
    intake = await service.replica(THROUGHLINE_INTAKE_PATIENCE_MS="60000")
    answers = await killed_with_all_waiting(service, intake)
    # One who waited for longer than the deadline has been told that nothing is known, which is as good as silence.
    assert {answer.status_code for answer in answers if answer is not None} <= {503}
    assert None in answers, "void: nobody waited when it was killed"
    await intake.start()
    for _ in range(2):
        retried = [await send(intake, n) for n in range(WAITING)]
        assert {answer.status_code for answer in retried} == {202}
    assert {answer.json()["duplicate"] for answer in retried} == {True}
    assert await service.value(ONE_EACH) == WAITING
    assert await service.value("select count(*) from events where topic = 'contacts'") == WAITING


async def test_killed_in_full_flow_nothing_that_was_answered_is_lost(service: Intakes) -> None:
    """Somewhere between a commit and its answers: what the callers saw and what the store has may not differ."""
    intake = await service.replica()
    answered: dict[str, str] = {}

    async def caller(n: int) -> None:
        for turn in range(1_000):
            key = f"k-{n}-{turn}"
            answer = await outcome(intake.contact(contact(customer={"id": key}), key=key))
            if answer is None:
                return
            answered[key] = answer.json()["request_id"]

    callers = [asyncio.create_task(caller(n)) for n in range(WAITING)]
    await until(lambda: len(answered) > 3 * WAITING, 30)
    await intake.kill()
    await asyncio.gather(*callers)
    rows = await service.named("select customer_id, request_id::text from requests")
    assert answered.items() <= {(row["customer_id"], row["request_id"]) for row in rows}
    await intake.start()
    for n in range(WAITING):
        keys = [key for key in answered if key.startswith(f"k-{n}-")]
        for key in (*keys[-1:], f"k-{n}-{len(keys)}"):
            got = (await intake.contact(contact(customer={"id": key}), key=key)).json()
            assert got["request_id"] == answered.get(key, got["request_id"])
    assert await service.named("select customer_id from requests group by customer_id having count(*) > 1") == []


async def test_answering_before_the_commit_loses_contacts(service: Intakes) -> None:
    """The control arm: the same fault, and 64 callers hold a 202 for nothing."""
    eager = await service.replica(module="tests.chaos.intake.eager")
    answers = await killed_with_all_waiting(service, eager)
    promised = [answer for answer in answers if answer is not None and answer.status_code == 202]
    assert len(promised) > WAITING // 2
    assert await service.value(ONE_EACH) < len(promised)
