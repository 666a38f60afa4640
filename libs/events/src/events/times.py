"""Exact times: integer microseconds since 1970 UTC, and their RFC 3339 text with six decimals."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

MAX_US: Final = 253_402_300_799_999_999
"""9999-12-31T23:59:59.999999Z, the last time that is taken."""

_SECOND_US: Final = 1_000_000
_MINUTE_US: Final = 60 * _SECOND_US
_SECONDS: Final = len("2026-11-22T05:55:")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# As `to_text` writes it, which is what nearly all texts are. No such time lies beyond the years that are taken.
_OURS: Final = re.compile(r"((?:19[7-9]|[2-9]\d\d)\d-\d\d-\d\dT\d\d:\d\d):([0-5]\d)\.(\d{6})Z", re.ASCII)
_RFC3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):([0-5]\d))?", re.ASCII
)


def to_text(us: int) -> str:
    """`2026-11-22T05:55:51.000001Z` for µs since 1970; ValueError outside of the years 1970 to 9999."""
    minute, rest = divmod(us, _MINUTE_US)
    second, rest = divmod(rest, _SECOND_US)
    return f"{_text_of_minute(minute)}{second:02d}.{rest:06d}Z"


def to_us(text: str) -> int:
    """µs since 1970 of an RFC 3339 time with any offset and at most six decimals.

    ValueError, saying what is wrong, for anything else, for years outside of 1970 to 9999 (in UTC) and for a leap
    second, which has no number of its own among the seconds since 1970.
    """
    if (ours := _OURS.fullmatch(text)) is not None:
        minute, seconds, decimals = ours.groups()
        return (_minute_of_text(minute) + int(seconds)) * _SECOND_US + int(decimals)
    matched = _RFC3339.fullmatch(text)
    if matched is None:
        raise ValueError("must be an RFC 3339 time such as 2026-11-22T05:55:51.000001Z")
    minute, seconds, decimals, zulu, sign, hours, minutes = matched.groups()
    if decimals is not None and len(decimals) > 6:
        raise ValueError("must have at most six decimals")
    if zulu is None and sign is None:
        raise ValueError("must carry an offset (Z or ±hh:mm)")
    second = _second_of_text(minute, seconds)
    if sign is not None:
        second -= _offset_s(sign, int(hours), int(minutes))
    us = second * _SECOND_US + (int(decimals.ljust(6, "0")) if decimals else 0)
    if not 0 <= us <= MAX_US:
        raise ValueError("must lie in the years 1970 to 9999")
    return us


@lru_cache(maxsize=4096)
def _text_of_minute(minute: int) -> str:
    """The calendar is asked once a minute: it costs as much as all the rest of writing a time."""
    if not 0 <= minute <= MAX_US // _MINUTE_US:
        raise ValueError("must lie in the years 1970 to 9999")
    # fromtimestamp reads no clock: it is the calendar's arithmetic alone.
    return datetime.fromtimestamp(minute * 60, UTC).isoformat()[:_SECONDS]


def _second_of_text(minute: str, seconds: str) -> int:
    if seconds > "59":
        leap = seconds == "60"
        raise ValueError(
            "must not be a leap second (:60)" if leap else "must be a time that exists: 59 is the last second"
        )
    return _minute_of_text(minute) + int(seconds)


@lru_cache(maxsize=4096)
def _minute_of_text(minute: str) -> int:
    """As `_text_of_minute`, back."""
    try:
        moment = datetime.fromisoformat(minute.upper()).replace(tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"must be a time that exists: {error}") from error
    elapsed = moment - _EPOCH
    return elapsed.days * 86_400 + elapsed.seconds


def _offset_s(sign: str, hours: int, minutes: int) -> int:
    if hours > 23:
        raise ValueError("must have an offset below 24 hours")
    seconds = hours * 3600 + minutes * 60
    return -seconds if sign == "-" else seconds
