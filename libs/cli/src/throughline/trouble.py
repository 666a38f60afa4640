"""What goes wrong at the command line: a sentence, what to do next, and the exit code.

Trouble            1  something was refused or a check failed
├─ Usage           2  the command cannot be meant like this
└─ Unreachable     3  no answer in time; the same command again goes on from there
"""

from __future__ import annotations


class Trouble(Exception):
    """Ends the command: `str()` says what happened, `remedy` what to do next."""

    exit_code = 1

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.remedy = remedy


class Usage(Trouble):
    """The command cannot be meant like this."""

    exit_code = 2


class Unreachable(Trouble):
    """A service gave no answer, or was too busy for as long as we had patience."""

    exit_code = 3
