"""What is wrong with a policy or calendar that is well-formed: the path of each member, and the reason."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from escalation.domain.business_time import DAY_US
from events.policies import CalendarVersioned, Promise, SlaPolicyVersioned, Window

Fault = tuple[str, str]

STARTS: Final = ("ContactReceived", "Reopened", "Routed", "Connected")
STOPS: Final = ("Routed", "Connected", "Resolved")
MOST_PROMISES: Final = 200
MOST_EXCEPTIONS: Final = 2_000
LONGEST_US: Final = 366 * DAY_US

_FOLLOWS: Final = ("ContactReceived", "Reopened", "Routed", "Connected", "Resolved")


def in_policy(policy: SlaPolicyVersioned, calendars: Collection[str]) -> Iterator[Fault]:
    """`calendars` are the names that there are."""
    if len(policy.promises) > MOST_PROMISES:
        yield "promises", f"must be {MOST_PROMISES} at most"
    for number, promise in enumerate(policy.promises):
        for member, reason in _in_promise(promise, calendars):
            yield f"promises.{number}.{member}", reason


def in_calendar(calendar: CalendarVersioned) -> Iterator[Fault]:
    """A calendar must open at all, or nothing that it counts would ever come due."""
    if not is_zone(calendar.time_zone):
        yield "time_zone", "must be a time zone of the IANA data base, such as Europe/Zurich"
    if not any(calendar.week.values()):
        yield "week", "must have open hours on one day at least"
    for day, windows in calendar.week.items():
        yield from _in_windows(f"week.{day}", windows)
    exceptions = calendar.exceptions or []
    if len(exceptions) > MOST_EXCEPTIONS:
        yield "exceptions", f"must be {MOST_EXCEPTIONS} at most"
    seen: set[str] = set()
    for number, exception in enumerate(exceptions):
        if not _is_date(exception.date) or exception.date in seen:
            yield f"exceptions.{number}.date", "must be a date that there is, and that is named once"
        seen.add(exception.date)
        yield from _in_windows(f"exceptions.{number}.windows", exception.windows)


def is_zone(name: str) -> bool:
    """Whether the IANA data base has a zone of this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _in_promise(promise: Promise, calendars: Collection[str]) -> Iterator[Fault]:
    if promise.start not in STARTS:
        yield "start", f"must be one of {', '.join(STARTS)}"
    if promise.stop not in STOPS:
        yield "stop", f"must be one of {', '.join(STOPS)}"
    elif promise.start in STARTS and _FOLLOWS.index(promise.stop) <= _FOLLOWS.index(promise.start):
        yield "stop", f"must be something that comes after {promise.start}"
    if promise.target_us > LONGEST_US:
        yield "target_us", "must be 366 days at most"
    if promise.calendar is not None and promise.calendar not in calendars:
        yield "calendar", "must be a calendar that there is: put it first"


def _in_windows(path: str, windows: list[Window]) -> Iterator[Fault]:
    for number, window in enumerate(windows):
        if window.start == "24:00":
            yield f"{path}.{number}.start", "must be 00:00 of the next day"


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
