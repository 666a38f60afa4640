"""Intake told to stop while callers wait: it ends in time and well, and whoever got a 202 is in the store."""

from __future__ import annotations

import asyncio
import signal
import time

import httpx

from tests.support.intake import Intakes, Replica, contact
from tests.support.until import until


async def test_a_stop_answers_who_waits_and_loses_nobody(service: Intakes) -> None:
    intake = await service.replica()
    answered: dict[str, str] = {}

    async def caller(n: int) -> None:
        for turn in range(10_000):
            key = f"k-{n}-{turn}"
            try:
                answer = await intake.contact(contact(customer={"id": key}), key=key)
            except httpx.HTTPError:
                return
            assert answer.status_code in (202, 503), answer.text
            if answer.status_code == 202:
                answered[key] = answer.json()["request_id"]

    callers = [asyncio.create_task(caller(n)) for n in range(16)]
    await until(lambda: len(answered) > 64, 30)
    # uvicorn ends by the signal that it was told to stop with, after all is done.
    assert await intake.stop() in (0, -signal.SIGTERM)
    await asyncio.gather(*callers)
    rows = await service.named("select customer_id, request_id::text from requests")
    assert answered.items() <= {(row["customer_id"], row["request_id"]) for row in rows}


async def test_a_request_in_flight_is_answered_before_it_ends(service: Intakes) -> None:
    intake = await service.replica()
    async with service.held("lock table requests in exclusive mode"):
        in_flight = asyncio.create_task(intake.contact(key="k"))
        await until(service.waits_for_lock)
        began = time.monotonic()
        stopping = asyncio.create_task(intake.stop())
        await until(lambda: _takes_nobody(intake), what="it takes no new connection")
        assert not in_flight.done()
    assert (await in_flight).status_code == 202
    assert await stopping in (0, -signal.SIGTERM)
    assert time.monotonic() - began < 10
    assert await service.value("select count(*) from events where type = 'ContactReceived'") == 1


async def test_a_request_that_cannot_be_finished_does_not_hold_it_up(service: Intakes) -> None:
    intake = await service.replica()
    async with service.held("lock table requests in exclusive mode"):
        in_flight = asyncio.create_task(intake.contact(key="k"))
        await until(service.waits_for_lock)
        began = time.monotonic()
        assert await intake.stop() in (0, -signal.SIGTERM)
        assert time.monotonic() - began < 10
        assert (await in_flight).status_code == 503


async def _takes_nobody(intake: Replica) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", intake.program.port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False
