"""What a user types, with the services that he gets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from local_stack.deadline import wait_until
from local_stack.processes import all_of
from local_stack.services import SERVICES
from tests.local.stacks import Running

COMMAND = [sys.executable, "-m", "local_stack"]


def environment(stack: Running) -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL")
    }
    base = str(stack.layout.port_base)
    return {**inherited, "THROUGHLINE_RUN_DIR": str(stack.layout.run), "THROUGHLINE_PORT_BASE": base}


def typed(command: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, command], env=environment, capture_output=True, text=True, timeout=180, check=False
    )


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.loads(answer.read())


def test_the_real_services_come_up_and_go_down(make_stack: Callable[[str], Running]) -> None:
    stack = make_stack("run")
    known = environment(stack)
    came = typed("up", known)
    assert came.returncode == 0, came.stderr + came.stdout
    facts = stack.facts()
    names = [service.name for service in SERVICES]
    assert facts.keys() == {*names, "kafka", "postgres", "pids", "token"}
    assert facts["pids"].keys() == {*names, "kafka", "postgres"}
    said = {name: get(f"{facts[name]}/readyz") for name in names}
    assert {name: body for name, body in said.items() if body["status"] != "ready"} == {}
    assert typed("status", known).returncode == 0
    everything = stack.everything()
    gone = typed("down", known)
    assert (gone.returncode, [process for process in everything if process.is_alive()]) == (0, [])
    assert typed("status", known).returncode == 1


def test_an_interrupted_run_leaves_nothing_behind(make_stack: Callable[[str], Running]) -> None:
    stack = make_stack("run")
    run = stack.layout.run
    # As a shell's background job, which has SIGINT ignored.
    session = subprocess.Popen(
        ["/bin/sh", "-c", "trap '' INT; exec \"$@\"", "sh", *COMMAND, "run"],
        env=environment(stack),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert wait_until(lambda: bool(all_of(run / "kafka") and all_of(run / "postgres")), 60)
    os.killpg(session.pid, signal.SIGINT)
    said, _ = session.communicate(timeout=60)
    folders = [run / "kafka", run / "postgres", *(run / "services" / service.name for service in SERVICES)]
    assert [process for folder in folders for process in all_of(folder)] == []
    assert "Traceback" not in said


@pytest.mark.parametrize("base", ["eighty", "80", "-8000", "32675", "32768", "40000", "65500"])
def test_a_port_base_that_is_none_is_refused_in_a_sentence(tmp_path: Path, base: str) -> None:
    known = {**os.environ, "THROUGHLINE_RUN_DIR": str(tmp_path / "run"), "THROUGHLINE_PORT_BASE": base}
    refused = typed("up", known)
    assert refused.returncode == 1
    assert f"THROUGHLINE_PORT_BASE is '{base}'; it must be a number from 1024 to 32674" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_down_without_a_stack_says_so_quickly_and_makes_nothing(tmp_path: Path) -> None:
    began = time.monotonic()
    told = typed("down", {**os.environ, "THROUGHLINE_RUN_DIR": str(tmp_path / "run")})
    assert (told.returncode, "nothing runs" in told.stdout) == (0, True)
    assert not (tmp_path / "run").exists()
    assert time.monotonic() - began < 10
