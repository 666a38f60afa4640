"""The line to PostgreSQL is cut between a COMMIT and its answer: 503, and the retry gets the first result."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from tests.support.cutting_proxy import CuttingProxy
from tests.support.intake import Caller, Intakes, contact, line, ndjson

KEPT = "select request_id::text from requests"


async def twenty(intake: Caller) -> list[httpx.Response]:
    """Twenty contacts at once, each with a key of its own: the same ones at each call."""
    bodies = {f"k-{n}": contact(customer={"id": f"c-{n}"}) for n in range(20)}
    return await asyncio.gather(*(intake.contact(body, key=key) for key, body in bodies.items()))


async def test_the_retry_of_a_contact_gets_the_first_result(database_url: str, tmp_path: Path) -> None:
    async with CuttingProxy(database_url).running() as proxy, Intakes(proxy.url, tmp_path) as service:
        intake = await service.local()
        await intake.contact(key="warm")
        proxy.cuts = 1
        lost = await asyncio.gather(
            *(intake.contact(contact(customer={"id": f"c-{n}"}), key=f"k-{n}") for n in range(20))
        )
        refused = [answer for answer in lost if answer.status_code != 202]
        assert proxy.cut == 1
        assert refused
        assert {answer.status_code for answer in refused} == {503}
        assert all("retry with the same key" in answer.json()["detail"] for answer in refused)
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
        committed = {row[0] for row in await service.named(KEPT)}
        retried = await asyncio.gather(
            *(intake.contact(contact(customer={"id": f"c-{n}"}), key=f"k-{n}") for n in range(20))
        )
        assert {(answer.status_code, answer.json()["duplicate"]) for answer in retried} == {(202, True)}
        assert {answer.json()["request_id"] for answer in retried} <= committed
        assert {row[0] for row in await service.named(KEPT)} == committed


async def test_the_retry_of_an_import_finds_all_of_it(database_url: str, tmp_path: Path) -> None:
    async with CuttingProxy(database_url).running() as proxy, Intakes(proxy.url, tmp_path) as service:
        intake = await service.local()
        lines = [line(f"call-{n}") for n in range(600)]
        proxy.cuts = 1
        lost = await intake.http.post("/v1/imports", content=ndjson(lines))
        assert (proxy.cut, lost.status_code) == (1, 503)
        assert int(lost.headers["retry-after"]) >= 1
        retried = {answer["status"] for answer in await intake.imported(lines)}
        assert retried == {"accepted", "duplicate"}
        assert await service.value("select count(*) from events where source = '/imports'") == 600
