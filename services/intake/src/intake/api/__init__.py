"""Intake's HTTP edge: requests become commands, outcomes become answers."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.routing import Route

from intake.api import documents
from intake.api.batches import BATCH, batch_of
from intake.api.contacts import CONTACTS, contact_of
from intake.api.follow_ups import FEEDBACK, MESSAGES, feedback_of, message_of
from intake.api.imports import IMPORTS, import_of
from intake.app.desk import Desk
from intake.app.importing import Imports

BODY_LIMITS = {BATCH: 16 << 20, IMPORTS: 16 << 20}


def routes(desk: Desk, imports: Imports, timelines: str) -> list[Route]:
    """Intake's routes; `timelines` is put before the path of a timeline in `Location`."""
    return [
        Route(CONTACTS, contact_of(desk, timelines), methods=["POST"]),
        Route(BATCH, batch_of(desk), methods=["POST"]),
        Route(MESSAGES, message_of(desk, timelines), methods=["POST"]),
        Route(FEEDBACK, feedback_of(desk, timelines), methods=["POST"]),
        Route(IMPORTS, import_of(imports), methods=["POST"]),
    ]


def document(app: FastAPI) -> None:
    """Adds the routes to the OpenAPI document: plain routes are not seen by the framework."""
    documents.add(app)
