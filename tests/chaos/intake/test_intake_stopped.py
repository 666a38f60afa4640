"""Intake told to stop while callers wait: it ends in time and well, and whoever got a 202 is in the store."""

from __future__ import annotations

import asyncio
import signal

import httpx

from tests.support.intake import Intakes, contact
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
    rows = await service.rows("select customer_id, request_id::text from requests")
    assert answered.items() <= {(row["customer_id"], row["request_id"]) for row in rows}
