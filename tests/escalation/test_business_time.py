"""Business time against a minute-by-minute count: over changes of the clocks, overnight windows and exceptions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalation.domain.business_time import HORIZON_US, AroundTheClock, OpenHours
from events.policies import CalendarVersioned, DatedException, Day, Window
from events.times import to_us

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Zones, and days on which their clocks change; by half an hour in one, never in the last two.
CHANGES = (
    ("Europe/Zurich", "2026-03-29"),
    ("Europe/Zurich", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Africa/Casablanca", "2026-02-15"),
    ("Africa/Casablanca", "2026-03-22"),
    ("Asia/Kathmandu", "2026-03-29"),
    ("UTC", "2026-10-25"),
)

times = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))
windows = st.builds(Window, start=times, end=times | st.just("24:00"))
exceptions = st.dictionaries(st.integers(-2, 2), st.lists(windows, max_size=2), max_size=1)
weeks = st.fixed_dictionaries({day: st.lists(windows, min_size=1, max_size=2) for day in DAYS})


@st.composite
def stretches(draw: st.DrawFn) -> tuple[CalendarVersioned, int, int]:
    """A calendar, and a stretch of time (in whole minutes) of up to four days about a change of its zone's clocks."""
    zone, day = draw(st.sampled_from(CHANGES))
    dated = {str(date.fromisoformat(day) + timedelta(days=n)): held for n, held in draw(exceptions).items()}
    calendar = CalendarVersioned(
        name="c",
        version=1,
        time_zone=zone,
        week=draw(weeks),
        exceptions=[DatedException(date=on, windows=held) for on, held in dated.items()],
    )
    start = to_us(f"{day}T00:00:00Z") + draw(st.integers(-2 * 1440, 1440)) * MINUTE
    return calendar, start, start + draw(st.integers(0, 4 * 1440)) * MINUTE


def is_open(calendar: CalendarVersioned, at_us: int) -> bool:
    """Straight from the definition: the local time lies in a window of its date, or in yesterday's over midnight."""
    local = datetime.fromtimestamp(at_us // 1_000_000, UTC).astimezone(ZoneInfo(calendar.time_zone))
    time = f"{local:%H:%M}"
    yesterday = local.date() - timedelta(days=1)
    today = any(w.start <= time and (w.end <= w.start or time < w.end) for w in windows_of(calendar, local.date()))
    return today or any(w.end <= w.start and time < w.end for w in windows_of(calendar, yesterday))


def windows_of(calendar: CalendarVersioned, on: date) -> list[Window]:
    for exception in calendar.exceptions or ():
        if exception.date == str(on):
            return exception.windows
    return calendar.week.get(DAYS[on.weekday()], [])


@settings(max_examples=150, deadline=None)
@given(stretches())
def test_open_time_is_what_counting_the_minutes_gives(stretch: tuple[CalendarVersioned, int, int]) -> None:
    calendar, start, end = stretch
    counted = sum(is_open(calendar, minute) for minute in range(start, end, MINUTE)) * MINUTE
    assert OpenHours(calendar).open_us(start, end) == counted


@settings(max_examples=150, deadline=None)
@given(stretches(), st.integers(1, 30 * HOUR))
def test_the_end_of_a_stretch_is_the_first_moment_by_which_it_has_counted(
    stretch: tuple[CalendarVersioned, int, int], amount: int
) -> None:
    hours, start = OpenHours(stretch[0]), stretch[1] + amount % 7
    end = hours.after(start, amount)
    if end < start + HORIZON_US:
        assert hours.open_us(start, end) == amount
        assert hours.open_us(start, end - 1) == amount - 1


@given(st.integers(0, DAY), st.lists(st.integers(0, 3 * DAY), min_size=1, max_size=5))
def test_the_parts_of_a_stretch_add_up_to_it(start: int, cuts: list[int]) -> None:
    hours = OpenHours(office())
    places = [FRIDAY + start, *sorted(FRIDAY + DAY + cut for cut in cuts)]
    parts = sum(hours.open_us(a, b) for a, b in pairwise(places))
    assert parts == hours.open_us(places[0], places[-1])


FRIDAY = to_us("2026-03-27T00:00:00Z")


def office(**others: Any) -> CalendarVersioned:
    week = {day: [Window(start="08:00", end="12:00"), Window(start="13:00", end="17:30")] for day in DAYS[:5]}
    said: dict[str, Any] = {"name": "office", "version": 1, "time_zone": "Europe/Zurich", "week": week}
    return CalendarVersioned(**said | others)


def us(local: str, zone: str = "Europe/Zurich") -> int:
    return round(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000


def test_a_promise_on_friday_evening_falls_due_on_monday() -> None:
    hours = OpenHours(office())
    assert hours.after(us("2026-11-20 17:00"), 2 * HOUR) == us("2026-11-23 09:30")
    assert hours.open_us(us("2026-11-20 17:00"), us("2026-11-23 09:30")) == 2 * HOUR


def test_a_closed_date_is_passed_over_and_a_special_one_opens() -> None:
    closed = DatedException(date="2026-11-23", windows=[], label="closed")
    saturday = DatedException(date="2026-11-21", windows=[Window(start="10:00", end="11:00")])
    hours = OpenHours(office(exceptions=[closed, saturday]))
    assert hours.after(us("2026-11-20 17:00"), 2 * HOUR) == us("2026-11-24 08:30")


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [("2026-03-28 12:00", "2026-03-29 12:00", 23), ("2026-10-24 12:00", "2026-10-25 12:00", 25)],
)
def test_a_day_on_which_the_clocks_change_is_shorter_or_longer(start: str, end: str, hours: int) -> None:
    always = OpenHours(office(week={day: [Window(start="00:00", end="24:00")] for day in DAYS}))
    assert always.open_us(us(start), us(end)) == hours * HOUR
    assert AroundTheClock().open_us(us(start), us(end)) == hours * HOUR


def test_after_a_change_of_the_clocks_the_doors_open_by_the_new_time() -> None:
    hours = OpenHours(office(week={"sun": [Window(start="08:00", end="09:00")]}))
    assert hours.after(us("2026-03-28 12:00"), 1) == us("2026-03-29 08:00") + 1 == to_us("2026-03-29T06:00:00.000001Z")


def test_a_night_shift_belongs_to_the_day_on_which_it_begins() -> None:
    night = OpenHours(office(week={"fri": [Window(start="22:00", end="06:00")]}))
    assert night.open_us(us("2026-11-20 00:00"), us("2026-11-22 00:00")) == 8 * HOUR
    assert night.open_us(us("2026-11-20 00:00"), us("2026-11-20 06:00")) == 0
    assert night.after(us("2026-11-20 23:00"), 3 * HOUR) == us("2026-11-21 02:00")


def test_what_never_opens_ends_at_the_horizon() -> None:
    friday = DatedException(date="2026-11-20", windows=[Window(start="08:00", end="09:00")])
    once = OpenHours(office(week={}, exceptions=[friday]))
    start = us("2026-11-20 00:00")
    assert once.after(start, HOUR) == us("2026-11-20 09:00")
    assert once.after(start, HOUR + 1) == start + HORIZON_US


@pytest.mark.parametrize("hours", [AroundTheClock(), OpenHours(office())])
def test_nothing_counts_backwards(hours: AroundTheClock | OpenHours) -> None:
    start = us("2026-11-20 10:00")
    assert hours.open_us(start, start - HOUR) == 0
    assert hours.after(start, 0) == start
