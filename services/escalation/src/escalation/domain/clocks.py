"""A promise's clock: it runs, stands still in pauses, and ends; what it says follows from the log's times alone.

A verdict is due strictly after its moment, whoever finds it: an alarm, or the event that comes later. So the same log
gives the same verdicts, however late they are found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from escalation.domain.business_time import Hours


class Ending(StrEnum):
    """How a clock ended. `dropped`: what was promised can no longer happen, and its time was not up."""

    MET = "met"
    BREACHED = "breached"
    DROPPED = "dropped"


class Verdict(StrEnum):
    """What is stated of a clock, each at most once."""

    WARNED = "warned"
    BREACHED = "breached"
    MET = "met"
    WITHDRAWN = "withdrawn"
    """A breach that was stated is none."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict, with the due moment and the time used up as they were at the moment that it is about, however late it
    is found."""

    verdict: Verdict
    due_us: int
    consumed_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What was promised, by which version of which rules. Amounts in µs, as `calendar` counts them."""

    promise: str
    policy: str
    policy_version: int
    stop: str
    """The type of the event that keeps the promise."""
    target_us: int
    warn_us: int | None = None
    paused_in: tuple[str, ...] = ()
    calendar: str | None = None
    calendar_version: int | None = None
    escalates: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One promise made to one cycle of a request. Times are readings, in µs since 1970."""

    terms: Terms
    cycle: int
    started_us: int
    consumed_us: int = 0
    """Of the target, up to `since_us`; in all, where the clock stands still."""
    since_us: int | None = None
    """From when on it runs; None where it stands still."""
    due_us: int | None = None
    """When its time is up; None where it stands still before that."""
    warn_at_us: int | None = None
    warned: bool = False
    """Whether the warning was stated."""
    breached: bool = False
    """Whether a breach was stated, which a late event may have overturned since."""
    ended: Ending | None = None

    @property
    def next_us(self) -> int | None:
        """After which moment there is something to state, if nothing happens before."""
        if self.ended or self.since_us is None:
            return None
        moments = [self.warn_at_us if not self.warned else None, self.due_us if not self.breached else None]
        return min((moment for moment in moments if moment is not None), default=None)


Findings: TypeAlias = tuple[Finding, ...]


def started(terms: Terms, *, cycle: int, at_us: int, hours: Hours) -> Clock:
    """A clock that runs from `at_us` on."""
    return _running(Clock(terms=terms, cycle=cycle, started_us=at_us), at_us, hours)


def overdue(clock: Clock, at_us: int) -> tuple[Clock, Findings]:
    """What has come due before `at_us` and was not stated yet."""
    if clock.ended or clock.since_us is None or clock.due_us is None:
        return clock, ()
    found = []
    warn_us = clock.terms.warn_us
    if not clock.warned and warn_us is not None and clock.warn_at_us is not None and clock.warn_at_us < at_us:
        found.append(Finding(Verdict.WARNED, clock.due_us, warn_us))
    if not clock.breached and clock.due_us < at_us:
        found.append(Finding(Verdict.BREACHED, clock.due_us, clock.terms.target_us))
    stated = {finding.verdict for finding in found}
    warned, breached = clock.warned or Verdict.WARNED in stated, clock.breached or Verdict.BREACHED in stated
    return replace(clock, warned=warned, breached=breached), tuple(found)


def paused(clock: Clock, at_us: int, hours: Hours) -> tuple[Clock, Findings]:
    """It stands still from `at_us` on. A clock whose time was up by then keeps the moment at which it was."""
    clock, found = overdue(clock, at_us)
    if clock.since_us is None:
        return clock, found
    halted = replace(clock, consumed_us=consumed(clock, at_us, hours), since_us=None)
    return halted if _is_late(clock, at_us) else replace(halted, due_us=None, warn_at_us=None), found


def resumed(clock: Clock, at_us: int, hours: Hours) -> Clock:
    """It goes on where it stood."""
    if clock.since_us is not None:
        return clock
    if clock.due_us is not None:
        return replace(clock, since_us=at_us)
    return _running(clock, at_us, hours)


def stopped(clock: Clock, at_us: int, hours: Hours) -> tuple[Clock, Findings]:
    """What was promised happened at `at_us`: the promise is met by the due moment itself, and broken after it."""
    clock, found = overdue(resumed(clock, at_us, hours), at_us)
    used_us = consumed(clock, at_us, hours)
    ended = replace(clock, consumed_us=used_us, since_us=None)
    if clock.due_us is None or _is_late(clock, at_us):
        return replace(ended, ended=Ending.BREACHED), found
    return replace(ended, ended=Ending.MET), (*found, Finding(Verdict.MET, clock.due_us, used_us))


def dropped(clock: Clock, at_us: int, hours: Hours) -> tuple[Clock, Findings]:
    """The cycle ended at `at_us` by something else than what was promised; a breach that was stated by then for want of
    this event is withdrawn."""
    clock, found = overdue(clock, at_us)
    used_us = consumed(clock, at_us, hours)
    ended = replace(clock, consumed_us=used_us, since_us=None)
    if _is_late(clock, at_us):
        return replace(ended, ended=Ending.BREACHED), found
    due_us = resumed(clock, at_us, hours).due_us
    withdrawn = (Finding(Verdict.WITHDRAWN, due_us, used_us),) if clock.breached and due_us is not None else ()
    return replace(ended, ended=Ending.DROPPED), (*found, *withdrawn)


def consumed(clock: Clock, at_us: int, hours: Hours) -> int:
    """How much of the target is used up at `at_us`."""
    if clock.since_us is None:
        return clock.consumed_us
    return clock.consumed_us + hours.open_us(clock.since_us, at_us)


def state_of(clock: Clock, at_us: int) -> str | None:
    """running, paused, met or breached; None where it was dropped, since then it says nothing any more.

    A breach counts as soon as it is stated, and no longer once a late event has moved the moment that it was due at.
    """
    if clock.ended:
        return None if clock.ended is Ending.DROPPED else clock.ended.value
    if clock.breached and _is_late(clock, at_us):
        return "breached"
    return "paused" if clock.since_us is None else "running"


def _running(clock: Clock, at_us: int, hours: Hours) -> Clock:
    terms = clock.terms
    warn_at_us = None if terms.warn_us is None else hours.after(at_us, max(0, terms.warn_us - clock.consumed_us))
    due_us = hours.after(at_us, max(0, terms.target_us - clock.consumed_us))
    return replace(clock, since_us=at_us, due_us=due_us, warn_at_us=warn_at_us)


def _is_late(clock: Clock, at_us: int) -> bool:
    return clock.due_us is not None and clock.due_us < at_us
