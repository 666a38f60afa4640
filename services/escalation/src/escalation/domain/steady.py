"""What time it is where a clock may be set: three witnesses, of whom one may be wrong by any amount."""

from __future__ import annotations

from typing import Final

TRUSTED_US: Final = 1_000_000
"""Clocks of different machines differ by less; more is a clock that was set."""


def agreed(own_us: int, *others_us: int) -> int:
    """The own clock's reading where it lies within a second of what most witnesses say, else what they say.

    With two others a single one that jumps, own or not, changes nothing; where all clocks are set together, two agree
    on it. All are readings of the same moment, in µs since 1970.
    """
    said = sorted((own_us, *others_us))[len(others_us) // 2]
    return own_us if abs(own_us - said) <= TRUSTED_US else said
