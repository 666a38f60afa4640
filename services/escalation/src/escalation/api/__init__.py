"""Escalation's HTTP edge: `/v1/…` as the contract has it."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from escalation.api import breaches, requests, rules
from escalation.api.breaches import Broken
from escalation.app.escalations import Escalations
from escalation.app.rulebook import Rulebook


def routers(escalations: Escalations, rulebook: Rulebook, broken: Broken) -> Sequence[APIRouter]:
    """All routes of escalation."""
    return [requests.routes(escalations), breaches.routes(broken), rules.routes(rulebook)]
