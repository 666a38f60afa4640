"""How much faster than the bank's day the demo goes: one factor for the clock, one for what people do."""

from __future__ import annotations

from dataclasses import dataclass

from throughline.day_figures import STAFFED_HOURS

HOUR_S = 3_600
OPENS_S = STAFFED_HOURS.start * HOUR_S
CLOSES_S = STAFFED_HOURS.stop * HOUR_S
CLOCK_TO_PEOPLE = 10
STANDARD_SECONDS = 102.0  # an hour in six seconds, a minute of talk in one


@dataclass(frozen=True, slots=True)
class Scale:
    """`clock` seconds of the day's clock, and `people` seconds of talk, wait and patience, pass in a real second.

    The clock outruns the people, and the bank is smaller by as much: with one factor for both, at 600, a call would
    last a fifth of a second, and it would be this machine that is measured and not the bank.
    """

    clock: float
    people: float

    def at(self, day_s: float) -> float:
        """Real seconds after the opening, for a time of the day in seconds after midnight."""
        return (day_s - OPENS_S) / self.clock

    def lasts(self, day_s: float) -> float:
        """Real seconds of something that takes people so long."""
        return day_s / self.people

    def lasts_us(self, day_s: float) -> int:
        """The same in µs, as policies want it."""
        return round(self.lasts(day_s) * 1_000_000)

    def time_of_day(self, real_s: float) -> str:
        """`10:35`, so many real seconds after the opening; it stops at midnight."""
        minutes = int(min(OPENS_S + max(0.0, real_s) * self.clock, CLOSES_S)) // 60
        return f"{minutes // 60:02d}:{minutes % 60:02d}"


def scale_of(seconds: float) -> Scale:
    """The bank's staffed hours in so many real seconds."""
    clock = (CLOSES_S - OPENS_S) / seconds
    return Scale(clock, clock / CLOCK_TO_PEOPLE)
