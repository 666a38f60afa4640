"""Stacks of small services on a real Kafka and PostgreSQL, each with a run folder and ports of its own."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from local_stack.stack import Stack
from tests.local.stacks import SERVICES, Running
from tests.support.servers import Session


@pytest.fixture
def make_stack(session: Session) -> Iterator[Callable[[str], Running]]:
    """Makes a stack, not started, at each call; all of them are taken down after the test."""
    made: list[Running] = []

    def make(name: str = "run") -> Running:
        made.append(Running(Stack(session.layout(name), {}, SERVICES)))
        return made[-1]

    yield make
    for each in made:
        each.down()


@pytest.fixture(scope="session")
def lasting_stack(session: Session) -> Iterator[Running]:
    """One for all tests of a worker: to start it from nothing for each would take most of their time."""
    made = Running(Stack(session.layout(), {}, SERVICES))
    yield made
    made.down()


@pytest.fixture
def stack(lasting_stack: Running) -> Running:
    """One that is up, however the test before has left it."""
    lasting_stack.up()
    return lasting_stack


@pytest.fixture
def listener() -> Iterator[Callable[[int], None]]:
    """Takes a port, in this very process."""
    taken: list[socket.socket] = []

    def take(port: int) -> None:
        taken.append(socket.create_server(("127.0.0.1", port)))

    yield take
    for each in taken:
        each.close()
