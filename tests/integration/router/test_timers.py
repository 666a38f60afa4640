"""The timers on a real PostgreSQL: never early, never lost, whatever becomes of processes and clocks."""

from __future__ import annotations

import asyncio

import pytest

from router.domain.agents import change_presence
from router.domain.timers import Due, Kind
from tests.router.given import accept, pause
from tests.support.clocks import SetClock
from tests.support.floor import Floor
from tests.support.routing import Routing

SECOND_US = 1_000_000
OFFER_US = 30 * SECOND_US
GRACE_US = 300 * SECOND_US
HOURS_US = 7_200 * SECOND_US


@pytest.fixture
async def floor(desk: Routing) -> Floor:
    """`r-1` offered to ada, and seen by the timers."""
    made = Floor(desk)
    await made.agent("ada")
    await desk.contact("r-1")
    await made.go_over()
    await made.timers.work()
    return made


async def closed_us(desk: Routing, type_: str = "OfferClosed") -> int:
    """When the event occurred."""
    return next(at for name, at in await desk.events("r-1") if name == type_)


async def test_an_offer_lapses_at_its_time_and_never_before(floor: Floor, desk: Routing) -> None:
    floor.move(OFFER_US - 1)
    assert await floor.timers.work() == pytest.approx(1e-6)
    assert await floor.state("r-1") == "offered"
    floor.move(1)
    await floor.timers.work()
    assert await desk.types("r-1") == ["Routed", "OfferClosed"]
    assert await closed_us(desk) - (await desk.events("r-1"))[0][1] >= OFFER_US
    assert await desk.units("ada") == {("voice", 0): (None, await closed_us(desk))}


async def test_who_let_an_offer_lapse_is_asked_again_where_there_is_no_other(floor: Floor) -> None:
    floor.move(OFFER_US)
    await floor.timers.work()
    assert (await floor.go_over()).again_s == 10.0
    floor.move(10 * SECOND_US)
    assert (await floor.go_over()).offers == 1


async def test_what_is_late_is_told_with_how_late_it_was(floor: Floor) -> None:
    floor.move(OFFER_US + 2 * SECOND_US)
    await floor.timers.work()
    ((due, late_us),) = floor.late
    assert (due.kind, late_us) == (Kind.LAPSED, 2 * SECOND_US)


async def test_an_offer_is_closed_once_by_however_many_replicas(floor: Floor, desk: Routing) -> None:
    others = [Floor(desk, f"{n}") for n in range(4)]
    floor.move(OFFER_US)
    await asyncio.gather(*(each.timers.work() for each in (floor, *others)))
    assert await desk.types("r-1") == ["Routed", "OfferClosed"]
    assert sum(len(each.late) for each in (floor, *others)) == 1


async def test_an_offer_that_was_answered_in_the_last_moment_does_not_lapse(floor: Floor, desk: Routing) -> None:
    request = await desk.request("r-1")
    assert request.lapses_us is not None
    late = Due(Kind.LAPSED, "r-1", 1, request.lapses_us, OFFER_US)
    await desk.order("r-1", accept("ada"))
    floor.move(OFFER_US)
    await floor.due.close([late])
    assert await desk.types("r-1") == ["Routed", "Connected"]


async def test_after_a_restart_an_offer_lapses_at_its_time_and_one_that_lapsed_meanwhile_at_once(
    floor: Floor, desk: Routing
) -> None:
    floor.move(OFFER_US - SECOND_US)
    early = Floor(desk, "early")
    assert await early.timers.work() == 1.0
    desk.clock.move(2 * SECOND_US)
    late = Floor(desk, "late")
    await late.timers.work()
    assert await floor.state("r-1") == "waiting"


@pytest.mark.parametrize("jump_us", [HOURS_US, -HOURS_US])
async def test_a_clock_that_jumps_neither_fires_an_offer_nor_keeps_it(
    floor: Floor, desk: Routing, jump_us: int
) -> None:
    desk.clock.move(jump_us)
    await floor.timers.work()
    floor.steady.move(OFFER_US - 1)
    await floor.timers.work()
    assert await floor.state("r-1") == "offered"
    floor.steady.move(1)
    await floor.timers.work()
    assert await floor.state("r-1") == "waiting"
    assert await closed_us(desk) - (await desk.events("r-1"))[0][1] >= OFFER_US


@pytest.mark.parametrize("ahead_us", [HOURS_US, -HOURS_US])
async def test_a_replica_whose_clock_is_wrong_closes_no_offer_of_another_early_nor_much_too_late(
    desk: Routing, ahead_us: int
) -> None:
    floor = Floor(desk)
    wrong = Floor(desk, "wrong", clock=SetClock(desk.clock.now_us() + ahead_us))
    await wrong.timers.work()
    await floor.agent("ada")
    await desk.contact("r-1")
    await floor.go_over()
    wrong.steady.move(SECOND_US)
    await wrong.timers.work()
    wrong.steady.move(OFFER_US - 2 * SECOND_US)
    await wrong.timers.work()
    assert await floor.state("r-1") == "offered"
    wrong.steady.move(2 * SECOND_US)
    await wrong.timers.work()
    assert await floor.state("r-1") == "waiting"


async def test_who_goes_offline_loses_his_offers_at_once(floor: Floor, desk: Routing) -> None:
    floor.move(SECOND_US)
    await floor.roster.change_presence("ada", "offline")
    assert await desk.types("r-1") == ["Routed", "OfferClosed"]
    (left,) = await desk.rows("select presence_us from agents")
    assert await closed_us(desk) > left["presence_us"]


async def test_who_was_called_away_is_offered_it_again_as_soon_as_he_is_back(floor: Floor) -> None:
    await floor.roster.change_presence("ada", "offline")
    await floor.roster.change_presence("ada", "available")
    assert (await floor.go_over()).offers == 1


async def test_an_agent_who_is_only_away_keeps_his_offers(floor: Floor, desk: Routing) -> None:
    await floor.roster.change_presence("ada", "away")
    await floor.timers.work()
    assert await desk.types("r-1") == ["Routed"]


async def test_a_withdrawal_that_was_cut_off_after_his_going_was_committed_is_finished_by_the_timers(
    floor: Floor, desk: Routing
) -> None:
    await floor.agents.settle("ada", lambda agent: change_presence(agent, "offline") if agent else None)
    assert await floor.state("r-1") == "offered"
    await Floor(desk, "another").timers.work()
    assert await floor.state("r-1") == "waiting"


@pytest.mark.parametrize("paused", [False, True])
async def test_whoever_stays_offline_loses_his_contacts_after_the_grace_and_not_before(
    floor: Floor, desk: Routing, paused: bool
) -> None:
    await desk.order("r-1", accept("ada"))
    if paused:
        await desk.order("r-1", pause("ada"))
    await floor.roster.change_presence("ada", "offline")
    gone_us = (await desk.rows("select presence_us from agents"))[0]["presence_us"]
    await floor.timers.work()
    floor.move(GRACE_US - 1)
    await floor.timers.work()
    assert (await floor.holder("r-1")) == "ada"
    floor.move(1)
    await floor.timers.work()
    assert (await desk.types("r-1"))[-1] == "Requeued"
    assert await closed_us(desk, "Requeued") >= gone_us + GRACE_US
    assert await floor.state("r-1") == "waiting"
    assert (await desk.units("ada"))["voice", 0][0] is None


async def test_the_grace_is_that_of_the_queues_policy(floor: Floor, desk: Routing) -> None:
    await floor.policy(offline_grace_us=5 * SECOND_US)
    await desk.order("r-1", accept("ada"))
    await floor.roster.change_presence("ada", "offline")
    await floor.timers.work()
    floor.move(5 * SECOND_US)
    await floor.timers.work()
    assert await floor.state("r-1") == "waiting"


async def test_who_comes_back_within_the_grace_keeps_his_contacts_and_has_all_of_it_the_next_time(
    floor: Floor, desk: Routing
) -> None:
    await desk.order("r-1", accept("ada"))
    for status in ("offline", "available", "offline"):
        await floor.roster.change_presence("ada", "offline" if status == "offline" else "available")
        await floor.timers.work()
        floor.move(GRACE_US - SECOND_US)
        await floor.timers.work()
    assert await floor.state("r-1") == "connected"


async def test_a_grace_that_was_over_when_he_came_back_and_went_again_is_not_that_of_the_second_time(
    floor: Floor, desk: Routing
) -> None:
    await desk.order("r-1", accept("ada"))
    await floor.roster.change_presence("ada", "offline")
    (first,) = await floor.due.pending()
    for status in ("available", "offline"):
        floor.move(SECOND_US)
        await floor.roster.change_presence("ada", "available" if status == "available" else "offline")
    await floor.due.close([first])
    assert await floor.state("r-1") == "connected"


async def test_a_jump_of_the_clock_takes_nothing_of_the_grace(floor: Floor, desk: Routing) -> None:
    await desk.order("r-1", accept("ada"))
    await floor.roster.change_presence("ada", "offline")
    await floor.timers.work()
    desk.clock.move(HOURS_US)
    await floor.timers.work()
    assert await floor.state("r-1") == "connected"
    floor.steady.move(GRACE_US)
    await floor.timers.work()
    assert await floor.state("r-1") == "waiting"


async def test_where_nothing_is_pending_the_timers_have_nothing_to_wait_for(floor: Floor, desk: Routing) -> None:
    await desk.order("r-1", accept("ada"))
    assert await floor.timers.work() is None
