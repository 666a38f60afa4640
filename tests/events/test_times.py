"""Times are exact to the microsecond, in both directions."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.times import MAX_US, to_text, to_us
from tests.events.strategies import law, times_us

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@law
@given(times_us)
def test_every_microsecond_comes_back_from_its_text(us: int) -> None:
    assert to_us(to_text(us)) == us


@law
@given(times_us)
def test_text_is_what_the_calendar_says(us: int) -> None:
    assert to_text(us) == (EPOCH + timedelta(microseconds=us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@law
@given(st.integers(86_400_000_000, MAX_US - 86_400_000_000), st.integers(-1439, 1439))
def test_the_offset_is_taken_off(us: int, minutes: int) -> None:
    local = (EPOCH + timedelta(microseconds=us)).astimezone(timezone(timedelta(minutes=minutes)))
    assert to_us(local.isoformat(timespec="microseconds")) == us


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1970-01-01T00:00:00.1Z", 100_000),
        ("1970-01-01t01:00:00+01:00", 0),
        ("1969-12-31T23:00:00-01:00", 0),
        ("1970-01-01T00:00:00-00:00", 0),
        ("2024-02-29T12:00:00z", 1_709_208_000_000_000),
        ("9999-12-31T23:59:59.999999Z", MAX_US),
    ],
)
def test_what_rfc_3339_allows_is_read(text: str, us: int) -> None:
    assert to_us(text) == us


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("yesterday", "RFC 3339"),
        ("", "RFC 3339"),
        ("2001-01-01", "RFC 3339"),
        ("2001-01-01 00:00:00Z", "RFC 3339"),
        ("2001-01-01T00:00:00Z\n", "RFC 3339"),
        ("2001-01-01T00:00Z", "RFC 3339"),
        ("٢٠٠١-01-01T00:00:00Z", "RFC 3339"),
        ("2001-13-01T00:00:00.000000Z", "exists"),
        ("2001-02-29T00:00:00.000000Z", "exists"),
        ("2001-01-01T24:00:00Z", "exists"),
        ("2001-01-01T00:00:00.000000", "offset"),
        ("2001-01-01T00:00:00+24:00", "24 hours"),
        ("2001-01-01T00:00:00+01:60", "RFC 3339"),
        ("2001-01-01T00:00:00.0000001Z", "six decimals"),
        ("2016-12-31T23:59:60Z", "leap second"),
        ("1969-12-31T23:59:59.999999Z", "1970 to 9999"),
        ("1970-01-01T00:00:00+00:01", "1970 to 9999"),
        ("9999-12-31T23:59:59-00:01", "1970 to 9999"),
        ("0000-01-01T00:00:00Z", "exists"),
    ],
)
def test_what_is_no_time_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        to_us(text)


@pytest.mark.parametrize("us", [-1, MAX_US + 1])
def test_a_time_outside_of_the_years_has_no_text(us: int) -> None:
    with pytest.raises(ValueError, match="1970 to 9999"):
        to_text(us)
