"""What is no wheel of its own is found, fetched, or missed in a plain sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.checks import unpack
from tests.deploy.test_checks import write


def test_a_promtool_that_is_there_is_used(tmp_path: Path) -> None:
    machine = tmp_path / "machine"
    machine.mkdir()
    write(machine / "promtool", "exit 0")
    unpack.fetch_promtool(tmp_path / "promtool", path=str(machine))
    assert (tmp_path / "promtool").readlink() == machine / "promtool"


def test_without_apt_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="put one on the PATH"):
        unpack.fetch_promtool(tmp_path / "promtool", path=str(tmp_path))


def test_old_lists_are_renewed_once_before_it_is_given_up(tmp_path: Path) -> None:
    said = tmp_path / "said"
    write(tmp_path / "apt-get", f'echo "$1" >> {said}; test "$1" = update')
    with pytest.raises(SystemExit, match="`apt-get download -qq prometheus` fails"):
        unpack.fetch_promtool(tmp_path / "promtool", path=str(tmp_path))
    assert said.read_text().split() == ["download", "update", "download"]


def test_a_wheel_that_is_not_there_is_named() -> None:
    done = subprocess.run([sys.executable, unpack.__file__], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "kubectl is missing" in done.stderr
    assert "Traceback" not in done.stderr
