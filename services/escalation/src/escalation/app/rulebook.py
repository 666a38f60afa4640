"""Policies and calendars: read by version, and made anew."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from chassis.commands import Use
from chassis.errors import Invalid, NotFound
from escalation.app.ports import RuleStore, RuleUnit
from escalation.domain import faults
from escalation.domain.rules import Content, Kind, Rules
from escalation.domain.versions import next_version
from events.policies import CalendarVersioned, SlaPolicyVersioned


class Rulebook:
    """The orders on policies and calendars."""

    def __init__(self, store: RuleStore) -> None:
        self._store = store

    async def get(self, kind: Kind, name: str, version: int | None) -> bytes:
        """A version as JSON, the newest where none is named. Raises NotFound."""
        found = (await self._store.rules()).version(kind, name, version)
        if found is None:
            raise NotFound("There is none of this name and version: PUT makes the first.")
        return shown(found.content)

    async def put(self, kind: Kind, draft: Content, use: Use | None = None) -> bytes:
        """The version that holds now, as JSON: a new one, or the newest where the draft says the same. Raises Invalid.

        The draft's own version is passed over.
        """

        async def work(unit: RuleUnit) -> bytes:
            rules = await unit.rules()
            if found := list(_faults(draft, rules)):
                raise Invalid([{"field": field, "reason": reason} for field, reason in found])
            content, new = next_version(rules, kind, draft)
            if new:
                unit.keep(kind, content)
            return shown(content)

        return await self._store.once(draft.name, use, work)


def shown(content: Content) -> bytes:
    """All members, the ones that were not said as nulls."""
    return orjson.dumps(content.model_dump())


def _faults(draft: Content, rules: Rules) -> Iterable[faults.Fault]:
    match draft:
        case SlaPolicyVersioned():
            return faults.in_policy(draft, rules.calendars)
        case CalendarVersioned():
            return faults.in_calendar(draft)
