"""Stacks of small services on a real Kafka and PostgreSQL, each with a run folder and ports of its own."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local_stack.layout import Layout
from local_stack.ports import is_free
from local_stack.stack import Stack
from tests.local.stacks import SERVICES, Running

PORTS = (1, 4, 32, 92, 93)


@pytest.fixture
def make_stack(tmp_path: Path) -> Iterator[Callable[[str], Running]]:
    """Makes a stack, not started, at each call; all of them are taken down after the test."""
    made: list[Running] = []

    def make(name: str = "run") -> Running:
        made.append(_made(tmp_path / name))
        return made[-1]

    yield make
    for each in made:
        each.down()


@pytest.fixture(scope="session")
def lasting_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One for all tests of a worker: to start it from nothing for each would take most of their time."""
    made = _made(tmp_path_factory.mktemp("stack") / "run")
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


def _made(run: Path) -> Running:
    """On a base above which every port of a stack is free."""
    bases = random.sample(range(10_000, 19_900, 100), k=99)
    base = next(base for base in bases if all(is_free(base + port) for port in PORTS))
    return Running(Stack(Layout(run, base), {}, SERVICES))
