"""A day through the whole product: in by the command line, over Kafka, out of audit, and the same after the worst."""

from __future__ import annotations

import json
from itertools import groupby
from operator import itemgetter
from typing import Any

import pytest

from events.times import to_text, to_us
from tests.e2e.conftest import Command
from tests.e2e.product import Product
from tests.e2e.stopwatch import clicked
from tests.support.until import until
from throughline.day import day

Line = dict[str, Any]

MIDNIGHT = to_us("2026-11-16T00:00:00.000000Z")
DAY_US = 86_400_000_000


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return day(MIDNIGHT, seed=11, contacts=300)


@pytest.fixture(scope="module")
def by_request(lines: list[Line]) -> dict[str, list[Line]]:
    """Each request's lines in the order of their causes."""
    name = itemgetter("request_id")
    return {each: _chained(list(group)) for each, group in groupby(sorted(lines, key=name), key=name)}


@pytest.fixture
async def imported(product: Product, command: Command, lines: list[Line]) -> None:
    """The day is in audit; a second import changes nothing."""
    command("import", command.written(lines))
    await until(product.drained, 60, "audit has the day")


@pytest.mark.usefixtures("imported")
async def test_every_timeline_of_a_day_agrees_with_a_stopwatch(
    product: Product, by_request: dict[str, list[Line]]
) -> None:
    for request_id, story in by_request.items():
        timeline = json.loads(product.timeline(request_id) or b"{}")
        wanted = clicked(story)
        assert {name: timeline[name] for name in wanted} == wanted, request_id
        assert timeline["residual_us"] == 0
        assert [event["event_id"] for event in timeline["events"]] == [line["event_id"] for line in story]


@pytest.mark.usefixtures("imported")
async def test_the_days_report_counts_what_the_lines_say(product: Product, by_request: dict[str, list[Line]]) -> None:
    answer = product.get("/v1/reports/durations", **_span()).json()
    (group,) = answer["groups"]
    assert group["requests"] == len(by_request)
    answered = [clicked(story)["durations"]["received_to_routed_us"] for story in by_request.values()]
    known = sorted(us for us in answered if us is not None)
    told = group["metrics"]["received_to_routed_us"]
    assert (told["count"], told["sum_us"], told["max_us"]) == (len(known), sum(known), known[-1])
    assert told["p50_us"] == known[(len(known) + 1) // 2 - 1]


@pytest.mark.usefixtures("imported")
async def test_killing_everything_and_rebuilding_changes_no_byte(
    product: Product, command: Command, by_request: dict[str, list[Line]]
) -> None:
    def answers() -> list[bytes | None]:
        report = product.get("/v1/reports/durations", group_by="queue,tier,agent_id", as_of=as_of, **_span())
        return [report.content, *(product.timeline(request_id) for request_id in by_request)]

    as_of = max(str(json.loads(product.timeline(request_id) or b"{}")["as_of"]) for request_id in by_request)
    before = answers()
    product.kill_everything()
    product.up()
    assert answers() == before
    command("rebuild")
    assert answers() == before


async def test_a_live_contact_is_told_with_what_its_customer_added(product: Product) -> None:
    contact = {
        "channel": "chat",
        "customer": {"id": "c-live", "name": "Ines"},
        "body": "My card is gone.",
        "thread": "t1",
    }
    first = product.post("/v1/contacts", contact, key="live-1")
    again = product.post("/v1/contacts", contact, key="live-1")
    assert again == first | {"duplicate": True}
    request = f"/v1/requests/{first['request_id']}"
    continued = product.post("/v1/contacts", {**contact, "body": "It was under the sofa."})
    assert (continued["request_id"], continued["continued"]) == (first["request_id"], True)
    product.post(f"{request}/messages", {"channel": "sms", "body": "Thank you."})
    product.post(f"{request}/feedback", {"score": 4})

    await until(product.drained, 30, "audit has the contact")
    timeline = json.loads(product.timeline(first["request_id"]) or b"{}")
    assert (timeline["state"], timeline["complete"], timeline["received_at"]) == ("waiting", True, first["received_at"])
    told = [(event["type"], event["sequence"], event["data"].get("body")) for event in timeline["events"]]
    assert told == [
        ("ContactReceived", 1, "My card is gone."),
        ("MessageReceived", 2, "It was under the sofa."),
        ("MessageReceived", 3, "Thank you."),
        ("FeedbackReceived", 4, None),
    ]
    history = product.get("/v1/customers/c-live/history").json()["items"]
    assert [item["request_id"] for item in history] == [first["request_id"]]


def _span() -> dict[str, str]:
    return {"from": to_text(MIDNIGHT), "to": to_text(MIDNIGHT + 2 * DAY_US)}


def _chained(lines: list[Line]) -> list[Line]:
    """From the first line to the last, each the cause of the next."""
    after = {line["causation_id"]: line for line in lines}
    chain = [after[None]]
    while chain[-1]["event_id"] in after:
        chain.append(after[chain[-1]["event_id"]])
    assert len(chain) == len(lines)
    return chain
