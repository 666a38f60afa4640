"""The fold of the log: how an event, or the passing of time, moves a request and the clocks of its promises."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pydantic import ConfigDict

from escalation.domain import clocks
from escalation.domain.clocks import Clock, Findings, Verdict
from escalation.domain.escalate import by_promise
from escalation.domain.request import Change, Heard, Request, Statement
from escalation.domain.rules import Rules
from escalation.domain.verdicts import statement_of
from events.base import Fact, Name, Text
from events.contacts.contact import Channel, Priority, Severity
from events.lifecycle import UNKNOWN, Standing, State, evolve
from events.lifecycle.table import ENDS


class _Contact(Fact):
    """What matters here of a ContactReceived."""

    model_config = ConfigDict(extra="ignore")

    customer_id: Name
    channel: Channel
    support_level: Text | None = None
    severity: Severity | None = None
    priority: Priority | None = None


_CAUSED: Final = (Verdict.MET, Verdict.WITHDRAWN)
"""What the event itself brings about; all else was due before it."""


def received(event: Heard, partition: int, rules: Rules) -> Change:
    """A live contact began: the request, and the promises that are made to it. ValidationError where it is none."""
    told = _Contact.model_validate(event.data)
    request = Request(
        request_id=event.request_id,
        partition=partition,
        customer_id=told.customer_id,
        channel=told.channel,
        support_level=told.support_level or "standard",
        severity=told.severity or 3,
        priority=told.priority or 0,
        standing=evolve(UNKNOWN, event),
        received_us=event.reading_us,
        last_us=event.occurred_us,
    )
    return Change(_promised(request, event, rules))


def follow(request: Request, event: Heard, rules: Rules) -> Change:
    """What an event of the log does to a request and its clocks; one that may not move it is a remark."""
    known = replace(request, last_us=max(request.last_us, event.occurred_us))
    after = evolve(request.standing, event)
    if after is request.standing:
        return Change(known)
    moved = replace(known, standing=after)
    judged, statements = _judged(known, moved, event, rules)
    return Change(_settled(_promised(judged, event, rules), event), statements)


def elapsed(request: Request, until_us: int) -> Change:
    """What has come due before `until_us`, up to which the log is known; a promise that says so escalates."""
    kept: list[Clock] = []
    statements: list[Statement] = []
    for clock in request.clocks:
        stated, findings = clocks.overdue(clock, until_us)
        kept.append(stated)
        for finding in findings:
            said = statement_of(finding, stated, request, floor_us=request.last_us + 1)
            statements.append(said)
            if finding.verdict is Verdict.BREACHED and clock.terms.escalates:
                request, more = by_promise(request, clock, said)
                statements += more
    return Change(replace(request, clocks=tuple(kept)), tuple(statements))


def _judged(before: Request, after: Request, event: Heard, rules: Rules) -> tuple[Request, tuple[Statement, ...]]:
    """The clocks of the cycle that the event belongs to. What was due before it is stated as things stood then."""
    kept: list[Clock] = []
    statements: list[Statement] = []
    for clock in after.clocks:
        judged, findings = (clock, ()) if clock.ended else _judge(clock, before.standing, after.standing, event, rules)
        kept.append(judged)
        for finding in findings:
            stood, cause = (after, event.event_id) if finding.verdict in _CAUSED else (before, None)
            said = statement_of(finding, judged, stood, floor_us=after.last_us + 1, cause=cause)
            statements.append(said)
            if finding.verdict is Verdict.BREACHED and clock.terms.escalates and not judged.ended:
                after, more = by_promise(after, clock, said)
                statements += more
    return replace(after, clocks=tuple(kept)), tuple(statements)


def _judge(clock: Clock, before: Standing, after: Standing, event: Heard, rules: Rules) -> tuple[Clock, Findings]:
    hours, at_us = rules.hours(clock.terms), event.reading_us
    if event.type == clock.terms.stop:
        return clocks.stopped(clock, at_us, hours)
    if after.state in ENDS:
        return clocks.dropped(clock, at_us, hours)
    if _stands_still(clock, after) and not _stands_still(clock, before):
        return clocks.paused(clock, at_us, hours)
    if _stands_still(clock, before) and not _stands_still(clock, after):
        return clocks.resumed(clock, at_us, hours), ()
    return clocks.overdue(clock, at_us)


def _stands_still(clock: Clock, standing: Standing) -> bool:
    return standing.state is State.PAUSED and standing.reason in clock.terms.paused_in


def _promised(request: Request, event: Heard, rules: Rules) -> Request:
    """One clock for each promise and cycle: what starts it again in the same cycle starts nothing."""
    cycle = request.standing.cycle
    running = {clock.terms.promise for clock in request.clocks if clock.cycle == cycle}
    new = tuple(
        clocks.started(terms, cycle=cycle, at_us=event.reading_us, hours=rules.hours(terms))
        for terms in rules.promised(event.type, request, event.reading_us)
        if terms.promise not in running
    )
    return replace(request, clocks=request.clocks + new) if new else request


def _settled(request: Request, event: Heard) -> Request:
    """An escalation is pending no longer once it is in effect, or can no longer be."""
    pending = request.pending
    if pending is None:
        return request
    taken_up = event.type == "Requeued" and event.causation_id == pending.event_id
    void = request.closed or request.standing.tier >= pending.to_tier
    return replace(request, pending=None) if taken_up or void else request
