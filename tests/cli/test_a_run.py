"""A whole run of the demo against services in memory."""

from __future__ import annotations

import asyncio

import pytest

from tests.cli.fake_bank import STACK, FakeBank
from tests.support.until import until
from throughline.demo.board import Moment
from throughline.demo.closing import most_eventful
from throughline.demo.playing import Run, Scenario
from throughline.demo.proof import Proof
from throughline.demo.tally import Tally
from throughline.demo.wire import connected
from throughline.trouble import Unreachable

SHORT = Scenario(seed=3, contacts=60, seconds=4)


def unseen(_tally: Tally, _moment: Moment) -> None:
    """Nobody watches."""


async def played(bank: FakeBank, given: Scenario = SHORT) -> tuple[Run, Proof]:
    """One run from its preparation to its proof."""
    async with connected(STACK, "t1", bank.transport()) as wire:
        run = Run(wire, given, unseen)
        await run.prepare()
        await run.play()
        return run, await run.check()


async def test_a_day_is_lived_to_its_end_and_proved() -> None:
    bank = FakeBank(busy=5)
    run, proof = await played(bank)
    assert proof.wrong == []
    assert proof.contacts == SHORT.contacts
    assert set(bank.presence.values()) == {"offline"}
    kinds = {record["type"] for record in bank.log}
    assert {"Connected", "Resolved", "Abandoned", "Escalated", "Requeued", "MessageReceived"} <= kinds
    shown = most_eventful(run.log.by_request)
    assert shown is not None
    assert run.tally.seen[shown].standing.state == "resolved"


async def test_a_service_that_goes_away_ends_the_run_by_its_name_and_the_agents_go_home() -> None:
    bank = FakeBank()
    async with connected(STACK, "t1", bank.transport()) as wire:
        wire.patience_s = 0.2
        run = Run(wire, SHORT, unseen)
        await run.prepare()
        playing = asyncio.create_task(run.play())
        await until(lambda: len(bank.log) > 20)
        bank.gone = ("intake",)
        with pytest.raises(Unreachable, match="intake"):
            await playing
    assert set(bank.presence.values()) == {"offline"}


async def test_an_interrupted_run_sends_the_agents_home() -> None:
    bank = FakeBank()
    async with connected(STACK, "t1", bank.transport()) as wire:
        run = Run(wire, SHORT, unseen)
        await run.prepare()
        playing = asyncio.create_task(run.play())
        await until(lambda: len(bank.log) > 20)
        assert "available" in bank.presence.values()
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
    assert set(bank.presence.values()) == {"offline"}
