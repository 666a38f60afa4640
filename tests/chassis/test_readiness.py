"""`/readyz` is 503 only where a vital part is down, and a broken check takes no other's answer away."""

import asyncio
from dataclasses import replace
from functools import partial

import httpx
import pytest

from chassis.readiness import OK, Checks, Finding, degraded, down


async def report(**checks: tuple[Finding, bool]) -> tuple[int, str]:
    registry = Checks()
    for name, (finding, vital) in checks.items():
        registry.add(name, partial(replace, finding), vital=vital)
    status, body = await registry.report()
    return status, body["status"]


async def test_all_is_well() -> None:
    assert await report(database=(OK, True), log=(OK, False)) == (200, "ready")


async def test_what_is_not_vital_only_degrades() -> None:
    assert await report(database=(OK, True), log=(down("gone"), False)) == (200, "degraded")
    assert await report(database=(degraded("slow"), True)) == (200, "degraded")


async def test_a_vital_part_that_is_down_makes_it_unavailable() -> None:
    assert await report(database=(down("gone"), True), log=(OK, False)) == (503, "unavailable")


async def test_a_check_that_hangs_or_breaks_is_down_and_the_others_answer() -> None:
    async def hang() -> Finding:
        await asyncio.Event().wait()
        return OK

    def fail() -> Finding:
        raise ZeroDivisionError("a secret")

    checks = Checks()
    checks.add("hangs", hang)
    checks.add("breaks", fail)
    checks.add("well", lambda: Finding(OK.status, facts={"rows": 3}))
    status, body = await checks.report()
    assert status == 200
    assert {name: found["status"] for name, found in body["checks"].items()} == {
        "hangs": "down",
        "breaks": "down",
        "well": "ok",
    }
    assert body["checks"]["well"]["rows"] == 3
    assert "a secret" not in str(body)


def test_a_name_is_taken_once() -> None:
    checks = Checks()
    checks.add("log", lambda: OK)
    with pytest.raises(ValueError, match="log"):
        checks.add("log", lambda: OK)


async def test_the_probes_need_no_token(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await client.get(path)).status_code == 200
