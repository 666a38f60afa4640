"""The commands that every service has, as far as they need no server."""

import json
from typing import Any

import pytest
from typer import Typer
from typer.testing import CliRunner

from chassis.cli import commands
from chassis.settings import ServiceSettings


@pytest.fixture
def line(parts: Any) -> Typer:
    return commands("sample", settings=ServiceSettings, build=lambda _settings: parts.app, package="sample")


def test_the_document_is_printed_without_an_environment(line: Typer) -> None:
    ran = CliRunner().invoke(line, ["openapi"], env={"DATABASE_URL": None})
    assert ran.exit_code == 0
    assert "/v1/notes/{note_id}" in json.loads(ran.stdout)["paths"]


@pytest.mark.parametrize("command", ["serve", "migrate", "replay-parked"])
def test_each_missing_variable_is_named(line: Typer, command: str) -> None:
    names = ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "THROUGHLINE_MASTER_KEY", "THROUGHLINE_TOKENS")
    ran = CliRunner().invoke(line, [command], env=dict.fromkeys(names))
    assert ran.exit_code == 2
    for name in names:
        assert name in ran.output


def test_every_command_says_what_it_does(line: Typer) -> None:
    shown = CliRunner().invoke(line, ["--help"]).stdout
    for command in ("serve", "migrate", "openapi", "replay-parked"):
        assert command in shown
