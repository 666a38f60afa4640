"""One of three clocks may be wrong by any amount."""

from __future__ import annotations

import pytest

from escalation.domain.steady import TRUSTED_US, agreed

HOUR = 3_600_000_000
NOW = 1_700_000_000_000_000


@pytest.mark.parametrize("jump", [2 * HOUR, -2 * HOUR, TRUSTED_US + 1])
def test_a_clock_that_jumps_alone_changes_nothing(jump: int) -> None:
    assert agreed(NOW + jump, NOW, NOW) == NOW
    assert agreed(NOW, NOW + jump, NOW) == NOW
    assert agreed(NOW, NOW, NOW + jump) == NOW


@pytest.mark.parametrize("jump", [2 * HOUR, -2 * HOUR])
def test_where_two_agree_on_a_new_time_it_holds(jump: int) -> None:
    assert agreed(NOW + jump, NOW, NOW + jump) == NOW + jump


def test_small_differences_between_machines_leave_the_own_clock_its_word() -> None:
    assert agreed(NOW, NOW + 900, NOW + TRUSTED_US) == NOW
