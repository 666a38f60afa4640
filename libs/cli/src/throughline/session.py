"""What a subcommand is handed: the stack, found when it is first needed, and the console."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import typer
from rich.console import Console
from rich.padding import Padding

from throughline.client import Client
from throughline.stack import Stack


@dataclass
class Session:
    """One run of the command."""

    find_stack: Callable[[], Stack]
    console: Console

    @cached_property
    def stack(self) -> Stack:
        """The stack that is meant; Usage where none is found."""
        return self.find_stack()

    @cached_property
    def client(self) -> Client:
        """HTTP to that stack."""
        return Client(self.stack)

    def say(self, text: str) -> None:
        """Lines for people; a terminal breaks long ones between words, under their indentation."""
        if not self.console.is_terminal:
            self.console.print(text, highlight=False, soft_wrap=True)
            return
        for line in text.split("\n"):
            said = line.lstrip(" ")
            self.console.print(Padding(said, (0, 0, 0, len(line) - len(said))), highlight=False)

    @staticmethod
    def hand_out(text: str) -> None:
        """Output for programs: exactly this text on stdout, unwrapped and uncoloured."""
        sys.stdout.write(text)


def session_of(context: typer.Context) -> Session:
    """The session that the root command made."""
    session = context.obj
    assert isinstance(session, Session)
    return session


def as_json(value: Any) -> str:
    """JSON for people and programs alike."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
