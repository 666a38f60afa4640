"""The demo's audit is shown to catch what it is there for, on forged logs and timelines."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.cli.fake_bank import STACK, FakeBank
from throughline.demo.log import Log
from throughline.demo.proof import Proof, prove, residual_us, timelines_of
from throughline.demo.wire import Answered, Wire, connected

AGENT = {"queues": ["accounts-t1"], "tier": 1, "channels": {"voice": 1}}
CONTACT = {"channel": "voice", "queue": "accounts-t1"}
MAY_HOLD = {"hana": {"voice": 1}}


class Lived:
    """Three calls, one after another, as they were answered, logged and told; a test forges one of the three."""

    def __init__(self, answered: Answered, log: Log, timelines: dict[str, dict[str, Any]]) -> None:
        self.answered, self.log, self.timelines = answered, log, timelines

    def proof(self, still_open: tuple[str, ...] = ()) -> Proof:
        return prove(self.answered, self.log, self.timelines, MAY_HOLD, still_open)


@pytest.fixture
async def lived() -> Lived:
    bank = FakeBank()
    async with connected(STACK, "t1", bank.transport()) as wire:
        log = Log("t1", lambda _: None)
        await log.begin(wire)
        await wire.put("router", "/v1/agents/hana", AGENT)
        await wire.put("router", "/v1/agents/hana/presence", {"status": "available"})
        for _ in range(3):
            await _call(wire)
        await log.read(wire)
        timelines = await timelines_of(wire, wire.answered.requests)
    return Lived(wire.answered, log, {name: copy.deepcopy(dict(told)) for name, told in timelines.items()})


async def _call(wire: Wire) -> None:
    request_id = (await wire.command("intake", "/v1/contacts", CONTACT)).json()["request_id"]
    wire.answered.requests.append(request_id)
    body = {"agent_id": "hana", "leg": 1}
    await wire.command("router", f"/v1/requests/{request_id}/accept", body)
    await wire.command("router", f"/v1/requests/{request_id}/resolve", body)


def test_what_happened_as_it_was_answered_holds(lived: Lived) -> None:
    proof = lived.proof()
    assert proof.wrong == []
    assert (proof.contacts, proof.answered, proof.logged) == (3, 9, 12)


def test_a_contact_without_a_timeline_is_caught(lived: Lived) -> None:
    del lived.timelines["r-1"]
    assert lived.proof().untold == ("r-1",)


def test_an_answered_event_that_is_not_in_the_log_is_caught(lived: Lived) -> None:
    lived.answered.events["e-lost"] = "router accept"
    assert lived.proof().missing == ("e-lost",)


def test_an_event_twice_in_the_log_is_caught(lived: Lived) -> None:
    event_id = next(iter(lived.log.counted))
    lived.log.counted[event_id] += 1
    assert lived.proof().doubled == (event_id,)


def test_a_timeline_that_leaves_an_event_out_is_caught(lived: Lived) -> None:
    lived.timelines["r-1"]["events"].pop()
    assert lived.proof().unlike == ("r-1",)


def test_a_timeline_that_tells_an_event_twice_is_caught(lived: Lived) -> None:
    lived.timelines["r-1"]["events"] *= 2
    assert lived.proof().unlike == ("r-1",)


def test_an_incomplete_timeline_is_caught(lived: Lived) -> None:
    lived.timelines["r-1"]["complete"] = False
    assert lived.proof().unlike == ("r-1",)


def test_a_contact_that_came_to_no_end_is_told(lived: Lived) -> None:
    assert lived.proof(("r-1",)).wrong == ["1 contacts came to no end: r-1"]


@pytest.mark.parametrize("forge", ["length", "gap", "admitted", "start"])
def test_a_timeline_that_does_not_add_up_is_caught(lived: Lived, forge: str) -> None:
    told = lived.timelines["r-1"]
    assert residual_us(told) == 0
    if forge == "length":
        told["segments"][0]["us"] += 7
    elif forge == "gap":
        del told["segments"][1]
    elif forge == "start":
        told["received_at"] = "2026-11-20T06:59:59.000000Z"
    else:
        told["residual_us"] = -1
    assert lived.proof().wrong


def test_an_agent_over_capacity_is_caught(lived: Lived) -> None:
    (wrong,) = prove(lived.answered, lived.log, lived.timelines, {"hana": {"voice": 0}}, ()).wrong
    assert wrong == "hana held 1 of voice at once, 0 allowed"


async def test_what_was_on_the_stack_before_is_not_read() -> None:
    bank = FakeBank()
    async with connected(STACK, "t0", bank.transport()) as before:
        await before.command("intake", "/v1/contacts", {"channel": "chat", "queue": "accounts-t0"})
    async with connected(STACK, "t1", bank.transport()) as wire:
        log = Log("t1", lambda _: None)
        await log.begin(wire)
        await wire.command("intake", "/v1/contacts", {"channel": "chat", "queue": "accounts-t0"})
        await wire.command("intake", "/v1/contacts", CONTACT)
        await log.read(wire)
    assert [records[0]["data"]["queue"] for records in log.by_request.values()] == ["accounts-t1"]
