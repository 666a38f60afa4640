"""The calendar months that raw records are kept by."""

from datetime import UTC, datetime
from typing import NamedTuple


class Month(NamedTuple):
    """A month in UTC, `[from_us, to_us)` in µs since 1970."""

    name: str
    from_us: int
    to_us: int


def month_of(us: int) -> Month:
    """The month that `us` lies in; `name` reads 2026_11."""
    at = datetime.fromtimestamp(us // 1_000_000, UTC)
    return _month(at.year, at.month)


def month_after(month: Month) -> Month:
    """The next one."""
    return month_of(month.to_us)


def _month(year: int, number: int) -> Month:
    following = (year, number + 1) if number < 12 else (year + 1, 1)
    return Month(f"{year:04d}_{number:02d}", _start_us(year, number), _start_us(*following))


def _start_us(year: int, number: int) -> int:
    return int(datetime(year, number, 1, tzinfo=UTC).timestamp()) * 1_000_000
