"""Durations and points in time as people read and write them."""

from __future__ import annotations

import datetime as dt

from events.times import to_text, to_us

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
_UNITS = (("d", DAY_US), ("h", HOUR_US), ("min", 60 * SECOND_US))


def readable(us: int) -> str:
    """All of a duration, to the microsecond: `2 h 3 min 4.000005 s`."""
    if us < 0:
        return f"-{readable(-us)}"
    parts = []
    for unit, size in _UNITS:
        count, us = divmod(us, size)
        if count:
            parts.append(f"{count} {unit}")
    seconds, rest = divmod(us, SECOND_US)
    return " ".join([*parts, f"{seconds}.{rest:06d} s"])


def rounded(us: int | None) -> str:
    """A duration in a narrow column: `3:04.5`, from an hour on `2:03:04`; a dash where there is none. Half to even."""
    if us is None:
        return "-"
    tenths = round(us / 100_000)
    if tenths < 36_000:
        minutes, rest = divmod(tenths, 600)
        return f"{minutes}:{rest // 10:02d}.{rest % 10}"
    hours, rest = divmod(round(us / SECOND_US), 3_600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"


def moment(text: str) -> str:
    """A date (its midnight, UTC) or an RFC 3339 time as the services take it. ValueError where it is neither."""
    try:
        date = dt.date.fromisoformat(text)
    except ValueError:
        return to_text(to_us(text))
    return to_text(midnight_us(date))


def midnight_us(date: dt.date) -> int:
    """A day's beginning in UTC, in µs since the epoch."""
    return (date - dt.date(1970, 1, 1)).days * DAY_US


def last_business_day(today: dt.date) -> dt.date:
    """The latest Monday to Friday that is over."""
    day = today - dt.timedelta(days=1)
    while day.weekday() >= 5:
        day -= dt.timedelta(days=1)
    return day
