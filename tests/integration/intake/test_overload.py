"""Too much to do: newcomers are refused by the age of the oldest waiter, and what was let in is done."""

from __future__ import annotations

import asyncio
import time

from tests.support.intake import Intakes, contact, ndjson
from tests.support.until import until


async def test_when_the_oldest_waits_too_long_newcomers_are_refused_and_nothing_of_theirs_is_kept(
    service: Intakes,
) -> None:
    intake = await service.local(THROUGHLINE_INTAKE_PATIENCE_MS=50)
    async with service.held("lock table requests in exclusive mode"):
        let_in = asyncio.create_task(intake.contact(key="first"))
        await until(service.waits_for_lock, what="the first waits in its transaction")
        waiting_since = time.monotonic()
        await until(lambda: time.monotonic() - waiting_since > 0.06, what="it has waited too long")
        newcomer = await intake.contact(key="late")
        assert (newcomer.status_code, newcomer.json()["type"]) == (429, "/problems/overloaded")
        assert int(newcomer.headers["retry-after"]) >= 1
        batch = await intake.http.post("/v1/contacts:batch", content=ndjson([contact()]))
        assert batch.status_code == 429
    assert (await let_in).status_code == 202
    assert await service.value("select count(*) from idempotency_keys where key = 'late'") == 0
    late = await intake.contact(key="late")
    assert (late.status_code, late.json()["duplicate"]) == (202, False)
