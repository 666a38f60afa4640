"""Who sees what of a person."""

from __future__ import annotations

from typing import Any

import pytest

from tests.audit.given import Writer, event_id
from tests.integration.audit.world import Person, World, holds
from tests.support.until import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_personal_data_are_opened_for_tokens_that_may_see_them(world: World) -> None:
    first, second = (await world.audit.timeline("sealed"))["events"]
    assert first["data"]["customer"] == {"id": "c-sealed", "name": "Ada"}
    assert first["data"]["subject"] == "my card"
    assert second["data"]["body"] == "hello?"


async def test_without_the_scope_data_come_without_what_says_something_of_a_person(world: World) -> None:
    answer = await world.audit.get("/v1/requests/sealed/timeline", token="reader")
    first, second = answer.json()["events"]
    assert first["data"]["customer"] == {"id": "c-sealed"}
    assert not {"subject", "sealed"} & first["data"].keys()
    assert second["data"] == {"channel": "chat"}
    listed = await world.audit.get("/v1/events", token="reader", request_id="sealed")
    assert all("sealed" not in item["data"] and "body" not in item["data"] for item in listed.json()["items"])


@pytest.mark.parametrize(("token", "status"), [("gateway", 403), ("unknown", 401)])
@pytest.mark.parametrize(
    "path",
    [
        "/v1/requests/life-1/timeline",
        "/v1/requests",
        "/v1/customers/c-1/history",
        "/v1/reports/durations",
        "/v1/events",
        "/v1/events/stream",
        "/v1/positions",
        "/v1/exports/events",
    ],
)
async def test_nothing_is_told_to_who_may_not_ask(world: World, path: str, token: str, status: int) -> None:
    assert (await world.audit.get(path, token=token)).status_code == status


async def test_a_key_that_comes_late_opens_what_came_before_it_and_its_end_closes_it_again(world: World) -> None:
    late = Person("c-late")
    contact = {"channel": "chat", "customer": {"id": "c-late", "name": "Grace"}}
    received = late.says(Writer(), "ContactReceived", contact, subject="late", id_=event_id(903), minute=6_000)
    await world.service.send([received])
    await world.audit.drained()

    async def customer() -> Any:
        return (await world.audit.timeline("late"))["events"][0]["data"]["customer"]

    assert await customer() == {"id": "c-late"}
    await world.service.send([late.made()])
    await until(lambda: holds(customer, {"id": "c-late", "name": "Grace"}))
    await world.service.send([late.destroyed()])
    await until(lambda: holds(customer, {"id": "c-late"}))
