"""Callers who hang up: what they sent is taken in all the same, and their retry gets the first result."""

from __future__ import annotations

import asyncio
import json

from tests.support.intake import Intakes, Replica, contact
from tests.support.serving import TOKEN, Json
from tests.support.until import until

GONE = 50


async def hang_up(intake: Replica, key: str, body: Json) -> None:
    """Sends a whole request and closes the connection without waiting for the answer."""
    content = json.dumps(body).encode()
    head = f"POST /v1/contacts HTTP/1.1\r\nHost: intake\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += f"Idempotency-Key: {key}\r\nContent-Length: {len(content)}\r\n\r\n"
    _, writer = await asyncio.open_connection("127.0.0.1", intake.program.port)
    writer.write(head.encode() + content)
    await writer.drain()
    writer.transport.abort()


async def test_a_caller_who_hangs_up_hurts_neither_his_contact_nor_the_others(service: Intakes) -> None:
    intake = await service.replica()
    bodies = {f"gone-{n}": contact(customer={"id": f"gone-{n}"}) for n in range(GONE)}
    async with service.held("lock table requests in exclusive mode"):
        first = asyncio.create_task(intake.contact(contact(customer={"id": "first"})))
        await until(service.waits_for_lock, what="a batch waits in its transaction")
        await asyncio.gather(*(hang_up(intake, key, body) for key, body in bodies.items()))
        staying = [asyncio.create_task(intake.contact(contact(customer={"id": f"stays-{n}"}))) for n in range(10)]
    assert {answer.status_code for answer in await asyncio.gather(first, *staying)} == {202}

    async def all_kept() -> bool:
        return int(await service.value("select count(*) from requests")) == GONE + 11

    await until(all_kept)
    retried = await asyncio.gather(*(intake.contact(body, key=key) for key, body in bodies.items()))
    assert {(answer.status_code, answer.json()["duplicate"]) for answer in retried} == {(202, True)}
    assert await all_kept()
