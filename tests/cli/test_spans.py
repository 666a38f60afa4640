"""Durations and moments in words."""

from __future__ import annotations

import datetime as dt

import pytest

from throughline.spans import last_business_day, midnight_us, moment, readable, rounded


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "0.000000 s"),
        (1, "0.000001 s"),
        (61_000_001, "1 min 1.000001 s"),
        (3_600_000_000, "1 h 0.000000 s"),
        (90_061_500_000, "1 d 1 h 1 min 1.500000 s"),
        (-1_500_000, "-1.500000 s"),
    ],
)
def test_a_readable_duration_loses_no_microsecond(us: int, text: str) -> None:
    assert readable(us) == text


@pytest.mark.parametrize(
    ("us", "text"),
    [(None, "-"), (0, "0:00.0"), (59_960_000, "1:00.0"), (3_599_950_001, "1:00:00"), (3_725_400_000, "1:02:05")],
)
def test_a_rounded_duration_carries_over(us: int | None, text: str) -> None:
    assert rounded(us) == text


def test_a_date_is_its_midnight_in_utc() -> None:
    assert moment("2026-11-20") == "2026-11-20T00:00:00.000000Z"


def test_a_time_with_an_offset_is_taken_to_utc() -> None:
    assert moment("2026-11-20T01:00:00+02:00") == "2026-11-19T23:00:00.000000Z"


def test_neither_a_date_nor_a_time_is_refused() -> None:
    with pytest.raises(ValueError, match=r"."):
        moment("yesterday")


def test_the_last_business_day_skips_the_weekend_and_is_over() -> None:
    monday = dt.date(2026, 11, 23)
    assert last_business_day(monday) == dt.date(2026, 11, 20)
    assert last_business_day(dt.date(2026, 11, 24)) == monday


def test_midnight_counts_from_the_epoch() -> None:
    assert midnight_us(dt.date(1970, 1, 2)) == 86_400_000_000
