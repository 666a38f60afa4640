"""A whole run of the demo against services in memory."""

from __future__ import annotations

from tests.cli.fake_bank import STACK, FakeBank
from throughline.demo.board import Moment
from throughline.demo.closing import most_eventful
from throughline.demo.playing import Course, Run
from throughline.demo.proof import Proof
from throughline.demo.tally import Tally
from throughline.demo.wire import connected

SHORT = Course(seed=3, contacts=60, seconds=4)


def unseen(_tally: Tally, _moment: Moment) -> None:
    """Nobody watches."""


async def played(bank: FakeBank, given: Course = SHORT) -> tuple[Run, Proof]:
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
