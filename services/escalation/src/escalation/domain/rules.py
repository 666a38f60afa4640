"""The rules by version: policies of promises and calendars, which of them were in force when, and what they promise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from escalation.domain.business_time import AroundTheClock, Hours, OpenHours
from escalation.domain.clocks import Terms
from escalation.domain.request import Request
from events.policies import CalendarVersioned, Match, Promise, SlaPolicyVersioned

Kind: TypeAlias = Literal["sla", "calendar"]
Content: TypeAlias = SlaPolicyVersioned | CalendarVersioned

DEFAULT: Final = "default"
SECOND_US: Final = 1_000_000

BUILT_IN: Final = SlaPolicyVersioned(
    name=DEFAULT,
    version=1,
    promises=[
        Promise(
            promise="time_to_connect",
            start="ContactReceived",
            stop="Connected",
            target_us=seconds * SECOND_US,
            match=Match(priority_from=priority) if priority else None,
            warn_at_percent=80,
        )
        for priority, seconds in ((100, 60), (50, 300), (0, 900))
    ],
)
"""What is promised before anybody has said otherwise: a connection within a minute for the most urgent, within five
minutes from priority 50 on, within fifteen for all others."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of a policy or calendar, in force from `from_us` (µs since 1970) until the next version's."""

    kind: Kind
    content: Content
    from_us: int


@dataclass(slots=True)
class Rules:
    """All versions of all rules, each name's in the order of their versions. They only ever grow."""

    policies: dict[str, list[Rule]] = field(default_factory=lambda: {DEFAULT: [Rule("sla", BUILT_IN, 0)]})
    calendars: dict[str, list[Rule]] = field(default_factory=dict)
    _hours: dict[tuple[str, int], OpenHours] = field(default_factory=dict)

    def add(self, rule: Rule) -> None:
        """A version that was made; again the same one changes nothing."""
        versions = self.of(rule.kind).setdefault(rule.content.name, [])
        if rule.content.version == len(versions) + 1:
            versions.append(rule)

    def of(self, kind: Kind) -> dict[str, list[Rule]]:
        """The versions by name."""
        return self.policies if kind == "sla" else self.calendars

    def version(self, kind: Kind, name: str, version: int | None = None) -> Rule | None:
        """That version, or the newest; None where there is none."""
        versions = self.of(kind).get(name, [])
        if version is None:
            return versions[-1] if versions else None
        return versions[version - 1] if 0 < version <= len(versions) else None

    def promised(self, start: str, request: Request, at_us: int) -> Iterator[Terms]:
        """What an event of type `start` promises a request that stands so, by the rules in force at `at_us`.

        Of the promises of one name the first that fits counts; `default` is asked after all other policies, which are
        asked in the order of their names.
        """
        seen: set[str] = set()
        for name in sorted(self.policies, key=lambda each: (each == DEFAULT, each)):
            rule = in_force(self.policies[name], at_us)
            if rule is None or not isinstance(rule.content, SlaPolicyVersioned):
                continue
            for promise in rule.content.promises:
                if promise.start == start and promise.promise not in seen and fits(promise.match, request):
                    seen.add(promise.promise)
                    yield self._terms(promise, rule.content, at_us)

    def hours(self, terms: Terms) -> Hours:
        """What a clock with these terms counts."""
        if terms.calendar is None or terms.calendar_version is None:
            return AroundTheClock()
        key = terms.calendar, terms.calendar_version
        if key not in self._hours:
            content = self.calendars[terms.calendar][terms.calendar_version - 1].content
            assert isinstance(content, CalendarVersioned)
            self._hours[key] = OpenHours(content)
        return self._hours[key]

    def _terms(self, promise: Promise, policy: SlaPolicyVersioned, at_us: int) -> Terms:
        percent = promise.warn_at_percent
        return Terms(
            promise=promise.promise,
            policy=policy.name,
            policy_version=policy.version,
            stop=promise.stop,
            target_us=promise.target_us,
            # Rounded up: so much is used up only once it is.
            warn_us=None if percent is None else -(-promise.target_us * percent // 100),
            paused_in=tuple(promise.paused_in or ()),
            calendar=promise.calendar,
            calendar_version=self._calendar_version(promise.calendar, at_us),
            escalates=bool(promise.escalates),
        )

    def _calendar_version(self, name: str | None, at_us: int) -> int | None:
        """The version in force; the first one for a time before there was any."""
        if name is None:
            return None
        versions = self.calendars[name]
        return (in_force(versions, at_us) or versions[0]).content.version


def in_force(versions: Sequence[Rule], at_us: int) -> Rule | None:
    """The last version that was made by then."""
    return next((rule for rule in reversed(versions) if rule.from_us <= at_us), None)


def fits(match: Match | None, request: Request) -> bool:
    """Whether a request is one of those that a promise is made to: all that is named must fit."""
    if match is None:
        return True
    standing = request.standing
    told: Mapping[str, tuple[Iterable[object] | None, object]] = {
        "channel": (match.channels, request.channel),
        "queue": (match.queues, standing.queue),
        "tier": (match.tiers, standing.tier),
        "support_level": (match.support_levels, request.support_level),
        "severity": (match.severities, request.severity),
    }
    named = all(wanted is None or held in wanted for wanted, held in told.values())
    return named and (match.priority_from is None or request.priority >= match.priority_from)
