"""The checks of the deployment name what is missing, and report what a tool is not content with."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.checks.files import CHECKS, problems
from deploy.checks.tools import NAMES, ROOT, Tools, told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Tools that are content with everything."""
    for name in NAMES:
        write(tmp_path / name, "exit 0")
    return tmp_path


def write(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_content_tools_find_nothing(folder: Path) -> None:
    assert not any(problems(Tools(folder, path="/bin"), ROOT).values())


def test_what_is_missing_is_named_and_the_rest_is_looked_at(folder: Path) -> None:
    (folder / "promtool").unlink()
    (folder / "hadolint").unlink()
    tools = Tools(folder, path="/bin")
    assert tools.missing() == ["hadolint", "promtool"]
    assert told(tools.missing()) == "missing: hadolint, promtool; `make check-tools` fetches them"
    found = problems(tools, ROOT)
    assert found["deploy/Dockerfile"] == ["not looked at, for want of hadolint"]
    assert found["deploy/grafana"] == ["not looked at, for want of promtool"]
    assert found["k8s"] == found["deploy/compose.yaml"] == []


@pytest.mark.parametrize("name", NAMES)
def test_what_a_tool_says_is_handed_on(folder: Path, name: str) -> None:
    write(folder / name, "echo 'line 3 is wrong' >&2; exit 1")
    found = problems(Tools(folder, path="/bin"), ROOT)
    assert any("line 3 is wrong" in said for complaints in found.values() for said in complaints)


def test_every_part_of_the_deployment_is_looked_at() -> None:
    assert {"deploy/Dockerfile", "deploy/compose.yaml", "k8s", "deploy/grafana"} < set(CHECKS)
