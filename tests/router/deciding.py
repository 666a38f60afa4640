"""What the tests of orders ask of a decision."""

from __future__ import annotations

from router.domain.commands import Command
from router.domain.decide import Repeated, decide
from router.domain.moves import Move
from router.domain.request import Request
from tests.router.given import NOW

LATER = NOW + 60_000_000
PLACE = {"leg": 1, "cycle": 1, "queue": "default", "tier": 1, "channel": "voice"}


def decided(request: Request, command: Command) -> object:
    return decide(request, command, LATER)


def happens(request: Request, command: Command) -> Move:
    move = decided(request, command)
    assert isinstance(move, Move), move
    assert move.steps[0].event_id == command.event_id
    return move


def is_repeat_of(request: Request, first: Command, again: Command) -> None:
    assert decided(request, again) == Repeated(first.event_id)
