"""The checker of the partition: silent on a right life, loud on every forged one."""

from collections.abc import Callable

import pytest

from events.lifecycle import Life, State, fold
from events.lifecycle.identity import faults, residual_us
from events.lifecycle.samples import received, said


def settled() -> Life:
    given = [received(0), said("Routed", 3, agent_id="a"), said("Connected", 5, agent_id="a"), said("Resolved", 11)]
    return fold([*given, said("Reopened", 20), said("Abandoned", 21)])


def test_a_right_life_has_no_fault() -> None:
    assert residual_us(settled()) == 0
    assert faults(settled()) == []


def forge_gap(life: Life) -> None:
    life.segments[1].start_us += 1


def forge_overlap(life: Life) -> None:
    life.segments[1].end_us = 6


def forge_gap_and_overlap_that_cancel_out(life: Life) -> None:
    life.segments[1].start_us += 1
    life.segments[3].start_us -= 1


def forge_lost_segment(life: Life) -> None:
    del life.segments[2]


def forge_doubled_segment(life: Life) -> None:
    life.segments.insert(1, life.segments[1])


def forge_negative_segment(life: Life) -> None:
    life.segments[1].end_us = life.segments[2].start_us = 2


def forge_open_segment(life: Life) -> None:
    life.segments[1].end_us = None


def forge_closed_end(life: Life) -> None:
    life.segments[-1].end_us = 21


def forge_sum(life: Life) -> None:
    life.closed[State.CONNECTED, None] += 1


def forge_receipt(life: Life) -> None:
    assert life.received_us is not None
    life.received_us -= 1


def forge_last_move(life: Life) -> None:
    life.moved_us = 22


FORGERIES = [forge for name, forge in sorted(globals().items()) if name.startswith("forge_")]


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_forged_life_is_caught(forge: Callable[[Life], None]) -> None:
    life = settled()
    forge(life)
    assert faults(life)


@pytest.mark.parametrize("forge", [forge_gap, forge_overlap, forge_lost_segment, forge_receipt, forge_last_move])
def test_a_forged_length_shows_in_the_residual(forge: Callable[[Life], None]) -> None:
    life = settled()
    forge(life)
    assert residual_us(life) != 0


def test_segments_without_a_contact_are_all_residual() -> None:
    life = settled()
    life.received_us = None
    assert residual_us(life) == 21
