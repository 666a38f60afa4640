"""A session of tests leaves no server behind, not even one that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_stack.processes import Process, all_of, command_of, look
from tests.support.servers import Session

ROOT = Path(__file__).resolve().parents[2]
STARTS_A_SERVER = """
import pathlib, subprocess, sys, time
from tests.support.servers import Session
session = Session.begin(pathlib.Path(sys.argv[1]))
session.enter()
session.postgres("gw0")
subprocess.Popen(["/bin/sleep", "600"])
print(session.folder, flush=True)
time.sleep(600)
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another session, in a process of its own, that has started a server; and its folder."""
    command = [sys.executable, "-c", STARTS_A_SERVER, str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        folder = Path(process.stdout.readline().strip())
        yield process, folder
        process.kill()
    Session(folder).finish()


def started(folder: Path) -> list[Process]:
    """What the session has started, but for the process that it is."""
    found = all_of(folder)
    assert {"postgres", "sleep"} <= {command_of(process.pid).split()[0].rpartition("/")[2] for process in found}
    return found


def test_what_a_killed_session_left_is_ended_by_the_next(other: tuple[subprocess.Popen[str], Path]) -> None:
    process, folder = other
    left = started(folder)
    process.send_signal(signal.SIGKILL)
    process.wait()
    Session.begin(folder.parent)
    assert not [each for each in left if each.is_alive()]
    assert not folder.exists()


def test_a_session_that_lives_is_left_alone(other: tuple[subprocess.Popen[str], Path]) -> None:
    _, folder = other
    left = started(folder)
    Session.begin(folder.parent)
    assert all(each.is_alive() for each in left)
    assert folder.exists()


def test_a_pid_that_was_given_out_again_is_not_the_owner(tmp_path: Path) -> None:
    me = look(os.getpid())
    assert me is not None
    stale = tmp_path / f"{me.pid}-{me.started - 1}"
    stale.mkdir()
    Session.begin(tmp_path)
    assert not stale.exists()
