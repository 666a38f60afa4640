"""The demo on the real stack: played to its end and proved, undisturbed by what was there; refused where it must be."""

from __future__ import annotations

import os
import re
import signal

from events.times import to_text, to_us
from tests.e2e.conftest import Command
from tests.e2e.product import Product
from tests.support.until import until
from throughline.drawing import HEADLINES

SHORT = ("demo", "--seconds", "10", "--contacts", "24", "--seed", "3")
MINUTE_US = 60_000_000


async def test_a_short_day_is_played_and_proved_on_a_stack_in_use(product: Product, command: Command) -> None:
    other = product.post("/v1/contacts", {"channel": "voice", "customer": {"id": "somebody-else"}, "queue": "accounts"})
    said = command(*SHORT)

    assert re.search(r"24 contacts were answered 202; 24 have a timeline", said)
    assert re.search(r"events were answered with yes, 0 of them missing; [1-9]\d* in the log, 0 twice", said)
    assert "greatest residual of any timeline: 0 µs" in said
    assert re.search(r"0 of [1-9]\d* agents' channels over capacity", said)
    for name in HEADLINES:
        assert re.search(rf"{name} +[\d,]+ +\d", said), name
    assert len(re.findall(r"^\d\d:\d\d  contacts", said, re.MULTILINE)) > 5

    run = re.search(r"run ([0-9a-f]{8})\b", said)
    assert run is not None
    agents = product.get("/v1/agents", "router", limit="1000").json()["items"]
    ours = [agent for agent in agents if agent["agent_id"].endswith(run[1])]
    assert ours
    assert {agent["presence"] for agent in ours} == {"offline"}
    await until(product.drained, 30, "audit has all that happened")
    assert _received_since(product, other["received_at"]) == 24 + 1
    assert product.get(f"/v1/requests/{other['request_id']}/timeline").json()["state"] == "waiting"


def test_a_missing_service_is_named_and_nothing_is_begun(product: Product, command: Command) -> None:
    os.kill(product.pids()["escalation"], signal.SIGKILL)
    said = command(*SHORT, fails=True)
    assert "the demo needs all five services; escalation: no answer" in said
    assert "A bank's day" not in said
    product.up()


def _received_since(product: Product, moment: str) -> int:
    span = {"from": moment, "to": to_text(to_us(moment) + 10 * MINUTE_US)}
    return sum(group["requests"] for group in product.get("/v1/reports/durations", **span).json()["groups"])
