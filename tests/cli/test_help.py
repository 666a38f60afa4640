"""Every command explains itself, with examples."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from throughline.app import app

COMMANDS = ["import", "timeline", "report", "requests", "queues", "agents", "breaches", "search", "rebuild"]
COMMANDS += ["replay-parked", "status", "day", "demo"]


def throughline(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command as a user does."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}
    return subprocess.run(
        [sys.executable, "-m", "throughline", *arguments], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_commands_help_has_examples(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"], prog_name="throughline")
    assert shown.exit_code == 0
    assert f"throughline {command}" in shown.stdout.partition("Examples:")[2]


def test_each_example_has_a_line_of_its_own() -> None:
    examples = throughline("report", "--help").stdout.partition("Examples:")[2].split("\n")
    assert [line.count("throughline ") for line in examples if line.strip()] == [1, 1, 1, 1]


def test_the_commands_are_these() -> None:
    shown = throughline("--help").stdout
    assert all(f"  {command} " in shown for command in COMMANDS)


def test_no_commands_purpose_is_cut_off_in_the_list() -> None:
    assert "..." not in throughline("--help").stdout.partition("Commands:")[2]


def test_trouble_is_a_sentence_with_a_remedy_and_no_traceback() -> None:
    shown = throughline("--stack", "nowhere/stack.json", "status")
    assert shown.returncode == 2
    assert "no stack at nowhere/stack.json" in shown.stderr
    assert "make up" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_service_that_is_not_there_is_told_after_a_while() -> None:
    shown = throughline("--audit", "http://127.0.0.1:9", "status")
    assert shown.returncode == 1
    assert "no answer" in shown.stdout
