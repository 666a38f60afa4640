"""The HTTP edge: `/v1/…` as the contract has it."""

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI

from audit.api import examples, exports, lists, log, positions, timelines
from audit.app.answers import Answers
from audit.app.exports import Exports
from audit.app.following import Follower

hot_routes = timelines.routes


def document(app: FastAPI) -> None:
    """Completes the OpenAPI document: the hot route, and examples of the answers."""
    timelines.document(app)
    examples.add(app)


def routers(answers: Answers, exported: Exports, follower: Follower, where: positions.Positions) -> Sequence[APIRouter]:
    """Everything but the hot route."""
    return [lists.routes(answers), log.routes(answers, follower), positions.routes(where), exports.routes(exported)]
