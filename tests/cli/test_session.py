"""Lines for people."""

from __future__ import annotations

import io

from rich.console import Console

from throughline.session import Session
from throughline.stack import Stack


def said(text: str, *, terminal: bool) -> list[str]:
    """What forty columns show of it."""
    out = io.StringIO()
    console = Console(file=out, width=40, force_terminal=terminal, color_system=None)
    Session(lambda: Stack({}, None), console).say(text)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_a_terminal_breaks_a_long_line_between_words_under_its_indentation() -> None:
    lines = said("\nWhat happened\n  " + "twelve declined, " * 5, terminal=True)
    assert lines[:2] == ["", "What happened"]
    assert all(line.startswith("  twelve") and len(line) <= 40 for line in lines[2:])
    assert len(lines) == 5


def test_what_is_piped_keeps_its_lines() -> None:
    assert said("  " + "twelve declined, " * 5, terminal=False) == [("  " + "twelve declined, " * 5).rstrip()]
