"""Policies of promises and calendars of open hours, by version."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from chassis.auth import Principal
from chassis.commands import use_of
from chassis.errors import Invalid
from chassis.web import requires, router
from escalation.api.models import Calendar, CalendarDraft, Policy, PolicyDraft
from escalation.api.parameters import ADMIN, READ, Key, RuleName, RuleVersion, json_of, refusals
from escalation.app.rulebook import Rulebook
from events.base import Fact
from events.policies import CalendarVersioned, SlaPolicyVersioned

C = TypeVar("C", bound=Fact)
Admin = Annotated[Principal, requires(ADMIN)]

POLICY = "/v1/policies/sla/{name}"
CALENDAR = "/v1/calendars/{name}"


def routes(rulebook: Rulebook) -> APIRouter:
    """`/v1/policies/sla/{name}` and `/v1/calendars/{name}`."""
    rules = router(tags=["rules"])
    read = [requires(READ)]

    @rules.get(POLICY, response_model=Policy, responses=refusals(404), dependencies=read)
    async def policy(name: RuleName, version: RuleVersion = None) -> Response:
        """A version of a policy; `default` is there from the beginning."""
        return json_of(await rulebook.get("sla", name, version))

    @rules.put(POLICY, response_model=Policy, responses=refusals(409))
    async def put_policy(
        caller: Admin, request: Request, name: RuleName, draft: PolicyDraft, _key: Key = None
    ) -> Response:
        """A new version, in force for promises made from now on. What says the same as the newest makes none."""
        use = use_of(request, await request.json())
        return json_of(await rulebook.put("sla", _content(SlaPolicyVersioned, name, draft, caller), use))

    @rules.get(CALENDAR, response_model=Calendar, responses=refusals(404), dependencies=read)
    async def calendar(name: RuleName, version: RuleVersion = None) -> Response:
        """A version of a calendar."""
        return json_of(await rulebook.get("calendar", name, version))

    @rules.put(CALENDAR, response_model=Calendar, responses=refusals(409))
    async def put_calendar(
        caller: Admin, request: Request, name: RuleName, draft: CalendarDraft, _key: Key = None
    ) -> Response:
        """A new version, in force for promises made from now on. What says the same as the newest makes none."""
        use = use_of(request, await request.json())
        return json_of(await rulebook.put("calendar", _content(CalendarVersioned, name, draft, caller), use))

    return rules


def _content(model: type[C], name: str, draft: PolicyDraft | CalendarDraft, caller: Principal) -> C:
    """A draft as the event's content, by whose token it is where nobody is named. The rulebook gives it its version."""
    if draft.name not in (None, name):
        raise Invalid([{"field": "name", "reason": "must be the one in the path"}])
    said: dict[str, Any] = {member: getattr(draft, member) for member in draft.model_fields_set}
    return model(**{**said, "name": name, "version": 1, "by": draft.by or caller.name})
