"""Business time: how much of a stretch of time lies in open hours, and when so much of it will have passed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from events.policies import CalendarVersioned, Window
from events.times import MAX_US

Spans: TypeAlias = tuple[tuple[int, int], ...]
"""Half-open stretches `[start, end)`, in order, without overlap."""

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
DAY_US: Final = 86_400 * SECOND_US
HORIZON_US: Final = 3_660 * DAY_US
"""No search for the end of a stretch of business time looks further ahead: about ten years."""

_WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH: Final = date(1970, 1, 1)
_MOST_DAYS: Final = 8_000


class Hours(Protocol):
    """What a clock counts. All times and amounts are µs, times since 1970 UTC."""

    def open_us(self, start_us: int, end_us: int) -> int:
        """How much of `[start_us, end_us)` counts; 0 where it ends before it starts."""
        ...

    def after(self, start_us: int, amount_us: int) -> int:
        """The first moment by which `amount_us` has counted since `start_us`; the horizon where it never does."""
        ...


class AroundTheClock:
    """Every moment counts."""

    def open_us(self, start_us: int, end_us: int) -> int:
        """See Hours."""
        return max(0, end_us - start_us)

    def after(self, start_us: int, amount_us: int) -> int:
        """See Hours."""
        return min(start_us + amount_us, MAX_US)


class OpenHours:
    """The open hours of one version of a calendar.

    A moment is open where its local time lies in a window of its local date, or in one of the day before that reaches
    over midnight; a dated exception takes the place of its weekday's windows. So an hour that the clocks repeat counts
    twice and one that they skip does not count, and windows that overlap count once. Days are computed once, as spans
    of UTC, and kept.
    """

    def __init__(self, calendar: CalendarVersioned) -> None:
        """ZoneInfoNotFoundError for an unknown time zone."""
        self._zone = ZoneInfo(calendar.time_zone)
        self._week = tuple(_local(calendar.week.get(day, ())) for day in _WEEK)
        self._dated = {date.fromisoformat(each.date): _local(each.windows) for each in calendar.exceptions or ()}
        self._days: dict[int, Spans] = {}

    def open_us(self, start_us: int, end_us: int) -> int:
        """See Hours."""
        return sum(end - start for start, end in self._between(start_us, end_us))

    def after(self, start_us: int, amount_us: int) -> int:
        """See Hours."""
        if amount_us <= 0:
            return start_us
        horizon_us = min(start_us + HORIZON_US, MAX_US)
        left_us = amount_us
        for start, end in self._between(start_us, horizon_us):
            if end - start >= left_us:
                return start + left_us
            left_us -= end - start
        return horizon_us

    def _between(self, start_us: int, end_us: int) -> Iterator[tuple[int, int]]:
        for day in range(start_us // DAY_US, -(-end_us // DAY_US)):
            for opens, closes in self._open_on(day):
                start, end = max(opens, start_us), min(closes, end_us)
                if start < end:
                    yield start, end

    def _open_on(self, day: int) -> Spans:
        """The open spans of a day of UTC, counted from 1970."""
        spans = self._days.get(day)
        if spans is None:
            if len(self._days) >= _MOST_DAYS:
                self._days.clear()
            spans = self._days[day] = _joined(self._found(day * DAY_US, (day + 1) * DAY_US))
        return spans

    def _found(self, start_us: int, end_us: int) -> Iterator[tuple[int, int]]:
        for stretch_start, stretch_end, offset in self._stretches(start_us, end_us):
            begin, until = stretch_start + offset, stretch_end + offset
            # From the day before: its windows may reach over midnight.
            for local_day in range(begin // DAY_US - 1, -(-until // DAY_US)):
                for opens, closes in self._windows(local_day):
                    start = max(begin, local_day * DAY_US + opens)
                    end = min(until, local_day * DAY_US + closes)
                    if start < end:
                        yield start - offset, end - offset

    def _windows(self, local_day: int) -> Spans:
        on = _EPOCH + timedelta(days=local_day)
        return self._dated.get(on, self._week[on.weekday()])

    def _stretches(self, start_us: int, end_us: int) -> Iterator[tuple[int, int, int]]:
        """The day in stretches of one offset from UTC each: one, or two where the clocks are changed on it."""
        before, after = self._offset(start_us), self._offset(end_us - SECOND_US)
        if before == after:
            yield start_us, end_us, before
            return
        changed = self._change(start_us, end_us, before)
        yield start_us, changed, before
        yield changed, end_us, after

    def _change(self, low_us: int, high_us: int, before: int) -> int:
        """The second at which the offset is no longer `before`."""
        low, high = low_us // SECOND_US, high_us // SECOND_US
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._offset(middle * SECOND_US) == before else (low, middle)
        return high * SECOND_US

    def _offset(self, at_us: int) -> int:
        # Of a UTC time: a local one would be ambiguous in the hour that is repeated.
        offset = datetime.fromtimestamp(at_us // SECOND_US, UTC).astimezone(self._zone).utcoffset()
        assert offset is not None
        return (offset.days * 86_400 + offset.seconds) * SECOND_US


def local_us(time_of_day: str) -> int:
    """`hh:mm` as µs since midnight."""
    hours, minutes = time_of_day.split(":")
    return (int(hours) * 60 + int(minutes)) * MINUTE_US


def _local(windows: Iterable[Window]) -> Spans:
    """Windows as µs of their own day; one that ends at or before its start ends on the next day."""
    pairs = [(local_us(window.start), local_us(window.end)) for window in windows]
    return tuple((start, end if end > start else end + DAY_US) for start, end in pairs)


def _joined(spans: Iterable[tuple[int, int]]) -> Spans:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return tuple(joined)
