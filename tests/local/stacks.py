"""A stack as a test handles it."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

from local_stack.deadline import Deadline
from local_stack.processes import Process, all_of, look
from local_stack.services import Service
from local_stack.stack import Stack

SERVICES = (Service("intake", "tests.support.small_service", 1), Service("audit", "tests.support.small_service", 4))
PARTS = ("intake", "audit", "kafka", "postgres")
UP_S = 90.0


class Running:
    """Brings it up and down, and does to its parts what a test wants done."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.layout = stack.layout

    def up(self) -> None:
        self.stack.up(Deadline(UP_S), lambda _part, _at: None)

    def down(self) -> bool:
        return self.stack.down(lambda _part, _at: None)

    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.layout.stack_file.read_text())
        return facts

    def pids(self) -> dict[str, int]:
        return dict(self.facts()["pids"])

    def log(self, part: str) -> str:
        return (self.layout.logs / f"{part}.log").read_text()

    def send(self, part: str, number: signal.Signals) -> None:
        os.kill(self.pids()[part], number)

    def states(self) -> dict[str, str]:
        return {each.name: each.state for each in self.stack.conditions()}

    def everything(self) -> list[Process]:
        """Every process of it, found by what they are and not by what is written down."""
        run = self.layout.run
        found = [*all_of(run / "kafka"), *all_of(run / "postgres")]
        for service in SERVICES:
            found += all_of(run / "services" / service.name)
        written = [process for pid in self.pids().values() if (process := look(pid))]
        return [*found, *written]


WELL = {"intake": "ready", "audit": "ready", "kafka": "answers", "postgres": "answers"}
