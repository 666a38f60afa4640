"""Business time against a minute-by-minute count: over changes of the clocks, overnight windows and exceptions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalation.domain.business_time import HORIZON_US, AroundTheClock, OpenHours
from events.policies import CalendarVersioned, DatedException, Window
from events.times import to_us

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES = ("UTC", "Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca")
# Each within a week of a change of the clocks in several of these zones.
AROUND = tuple(
    to_us(f"{day}T00:00:00Z") for day in ("2026-03-06", "2026-03-27", "2026-04-03", "2026-10-23", "2026-10-30")
)

times = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))
windows = st.builds(Window, start=times, end=times | st.just("24:00"))
exceptions = st.dictionaries(st.integers(-1, 9), st.lists(windows, max_size=2), max_size=2)


@st.composite
def calendars(draw: st.DrawFn, first_day: date) -> CalendarVersioned:
    dated = draw(exceptions)
    return CalendarVersioned(
        name="c",
        version=1,
        time_zone=draw(st.sampled_from(ZONES)),
        week=draw(st.dictionaries(st.sampled_from(DAYS), st.lists(windows, max_size=3), min_size=1)),
        exceptions=[
            DatedException(date=str(first_day + timedelta(days=day)), windows=held) for day, held in dated.items()
        ],
    )


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
    return calendar.week.get(DAYS[on.weekday()], [])  # type: ignore[call-overload,no-any-return]  # a day


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_open_time_is_what_counting_the_minutes_gives(data: st.DataObject) -> None:
    begin = data.draw(st.sampled_from(AROUND))
    calendar = data.draw(calendars(datetime.fromtimestamp(begin / 1e6, UTC).date()))
    start = begin + data.draw(st.integers(0, 4 * 1440)) * MINUTE
    end = start + data.draw(st.integers(0, 4 * 1440)) * MINUTE
    counted = sum(is_open(calendar, minute) for minute in range(start, end, MINUTE)) * MINUTE
    assert OpenHours(calendar).open_us(start, end) == counted


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_end_of_a_stretch_is_the_first_moment_by_which_it_has_counted(data: st.DataObject) -> None:
    begin = data.draw(st.sampled_from(AROUND))
    hours = OpenHours(data.draw(calendars(datetime.fromtimestamp(begin / 1e6, UTC).date())))
    start = begin + data.draw(st.integers(0, 4 * DAY))
    amount = data.draw(st.integers(1, 30 * HOUR))
    end = hours.after(start, amount)
    if end < start + HORIZON_US:
        assert hours.open_us(start, end) == amount
        assert hours.open_us(start, end - 1) == amount - 1


@given(st.integers(0, DAY), st.lists(st.integers(0, 3 * DAY), min_size=1, max_size=5))
def test_the_parts_of_a_stretch_add_up_to_it(start: int, cuts: list[int]) -> None:
    hours = OpenHours(office())
    places = [AROUND[1] + start, *sorted(AROUND[1] + DAY + cut for cut in cuts)]
    parts = sum(hours.open_us(a, b) for a, b in pairwise(places))
    assert parts == hours.open_us(places[0], places[-1])


def office(**others: object) -> CalendarVersioned:
    week = {day: [Window(start="08:00", end="12:00"), Window(start="13:00", end="17:30")] for day in DAYS[:5]}
    said = {"name": "office", "version": 1, "time_zone": "Europe/Zurich", "week": week}
    return CalendarVersioned(**{**said, **others})  # type: ignore[arg-type]  # members by name


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
