"""Deadlines that neither a wrong clock nor a clock that jumps makes early, fires all at once, or loses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pending:
    """Something that falls due: by the clock at `due_us`, `span_us` after it began (µs). `key` names it once."""

    key: str
    due_us: int
    span_us: int


class Deadlines:
    """Watches what is pending from look to look.

    What was seen once falls due by a steady clock, so that a jump of the wall clock changes nothing. When it is seen
    first, the wall clock says how much is left, within two bounds: never more than the whole span, and, since it was
    not there at the look before, never less than the span without the time that has passed since. So a wrong clock,
    this one or the one that set the deadline, makes nothing early or late by more than the time between two looks.
    Only after a start there is no earlier look, and the wall clock alone is believed.
    """

    def __init__(self) -> None:
        self._ends: dict[str, int] = {}
        self._looked_us: int | None = None

    def look(self, pending: Iterable[Pending], *, now_us: int, steady_us: int) -> tuple[list[str], int | None]:
        """The keys that are due, the longest due first, and in how many µs the next one will be, None without one.

        `pending` is all there is; `now_us` and `steady_us` are readings of the two clocks from before it was read.
        """
        ends: dict[str, int] = {}
        for each in pending:
            known = self._ends.get(each.key)
            ends[each.key] = steady_us + self._left_us(each, now_us, steady_us) if known is None else known
        self._ends, self._looked_us = ends, steady_us
        due = sorted((end, key) for key, end in ends.items() if end <= steady_us)
        ahead = [end for end in ends.values() if end > steady_us]
        return [key for _, key in due], min(ahead) - steady_us if ahead else None

    def _left_us(self, each: Pending, now_us: int, steady_us: int) -> int:
        by_the_clock = min(each.due_us - now_us, each.span_us)
        if self._looked_us is None:
            return by_the_clock
        return max(by_the_clock, each.span_us - (steady_us - self._looked_us))
