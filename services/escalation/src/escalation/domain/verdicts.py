"""What is stated of a promise: the verdict as an event, under an id that is the same whoever states it."""

from __future__ import annotations

from typing import Any, Final

from escalation.domain.clocks import Clock, Finding, Verdict
from escalation.domain.request import TOP_TIER, Request, Statement
from events.canonical import content_id
from events.contacts.promises import Clock as ClockFact
from events.contacts.promises import SlaBreached, SlaMet, SlaWarned, SlaWithdrawn
from events.times import to_text

_FACTS: Final[dict[Verdict, type[ClockFact]]] = {
    Verdict.WARNED: SlaWarned,
    Verdict.BREACHED: SlaBreached,
    Verdict.MET: SlaMet,
    Verdict.WITHDRAWN: SlaWithdrawn,
}


def statement_of(
    finding: Finding, clock: Clock, request: Request, *, floor_us: int, cause: str | None = None
) -> Statement:
    """What was found of a clock of a request that stands, or stood then, like this."""
    fact = _FACTS[finding.verdict](**_clock(clock, finding), **_stood(request))
    return Statement(fact, id_of(request.request_id, clock, finding.verdict.value), floor_us, cause)


def id_of(request_id: str, clock: Clock, what: str) -> str:
    """The id of what is stated once of a clock: a UUID of version 8 that stands for just this."""
    named = {"request_id": request_id, "promise": clock.terms.promise, "cycle": clock.cycle, "what": what}
    return str(content_id(named))


def _clock(clock: Clock, finding: Finding) -> dict[str, Any]:
    terms = clock.terms
    told = {"calendar": terms.calendar, "calendar_version": terms.calendar_version}
    return {
        "promise": terms.promise,
        "policy": terms.policy,
        "policy_version": terms.policy_version,
        "due_at": to_text(finding.due_us),
        "target_us": terms.target_us,
        "consumed_us": finding.consumed_us,
        "cycle": clock.cycle,
        **{name: value for name, value in told.items() if value is not None},
    }


def _stood(request: Request) -> dict[str, Any]:
    standing = request.standing
    stood = {
        "leg": standing.leg,
        "channel": request.channel,
        "queue": standing.queue,
        # A foreign record may have raised it to any number.
        "tier": standing.tier if standing.tier <= TOP_TIER else None,
        "agent_id": standing.agent_id,
        "support_level": request.support_level,
        "severity": request.severity,
        "priority": request.priority,
    }
    return {name: value for name, value in stood.items() if value not in (None, "")}
