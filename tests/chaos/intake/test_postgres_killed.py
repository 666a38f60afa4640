"""PostgreSQL killed under load: 503 and never a wrong answer, nothing acknowledged is lost, nothing happens twice."""

from __future__ import annotations

import asyncio
import time

from tests.support.intake import Intakes, Replica, contact
from tests.support.servers import PrivatePostgres
from tests.support.until import until


class Caller:
    """Sends one keyed contact after the other, each until it is answered 202, as a careful client would."""

    def __init__(self, intake: Replica, name: str) -> None:
        self._intake = intake
        self._name = name
        self.request_ids: dict[str, str] = {}
        self.refused: list[tuple[int, float]] = []
        self.stopping = False

    async def run(self) -> None:
        while not self.stopping:
            key = f"{self._name}-{len(self.request_ids)}"
            while key not in self.request_ids:
                await self._try(key)

    async def _try(self, key: str) -> None:
        began = time.monotonic()
        answer = await self._intake.contact(contact(customer={"id": key}), key=key)
        if answer.status_code == 202:
            self.request_ids[key] = answer.json()["request_id"]
            return
        assert answer.status_code in (409, 429, 503), answer.text
        assert answer.status_code == 409 or int(answer.headers["retry-after"]) >= 1
        self.refused.append((answer.status_code, time.monotonic() - began))
        await asyncio.sleep(0.02)


async def kill_and_start(postgres: PrivatePostgres, callers: list[Caller]) -> None:
    """Once each caller has had an answer more; it comes back when they have been refused some times."""
    before = [len(caller.request_ids) for caller in callers]
    await until(lambda: all(len(c.request_ids) > n for c, n in zip(callers, before, strict=True)), 30)
    await asyncio.to_thread(postgres.kill)
    refusals = sum(len(caller.refused) for caller in callers)
    await until(lambda: sum(len(caller.refused) for caller in callers) > refusals + 32, 20)
    await asyncio.to_thread(postgres.start)


async def test_no_answer_is_lost_and_no_contact_doubled(mortal: Intakes, private_postgres: PrivatePostgres) -> None:
    intake = await mortal.replica()
    callers = [Caller(intake, f"c-{n}") for n in range(32)]
    running = [asyncio.create_task(caller.run()) for caller in callers]
    for _ in range(2):
        await kill_and_start(private_postgres, callers)
    for caller in callers:
        caller.stopping = True
    await asyncio.wait_for(asyncio.gather(*running), 30)
    answered = {key: one for caller in callers for key, one in caller.request_ids.items()}
    rows = await mortal.named("select customer_id, request_id::text from requests")
    assert {(row["customer_id"], row["request_id"]) for row in rows} == set(answered.items())
    assert await mortal.value("select count(*) from events where type = 'ContactReceived'") == len(answered)
    refused = [one for caller in callers for one in caller.refused]
    assert 503 in {status for status, _ in refused}
    assert max(took for _, took in refused) < 6
