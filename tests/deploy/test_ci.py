"""What CI runs comes in order, stops at what fails, and hears interrupts even as a shell's background job."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.deploy.reading import ROOT
from tests.deploy.test_checks import write

# Signals 2 and 3, of which the kernel shows the ignored ones as bits.
INTERRUPTS = 0b110


@pytest.fixture
def make(tmp_path: Path) -> Path:
    """A `make` that says what it was asked for and which signals it ignores; it fails for the target in `fails`."""
    ignored = "$(sed -n 's/^SigIgn:[[:space:]]*//p' /proc/$$/status)"
    write(tmp_path / "make", f'echo "$1 {ignored}"; test "$1" != "$(cat {tmp_path}/fails 2>/dev/null)"')
    return tmp_path / "make"


def ran(make: Path) -> tuple[int, list[str], list[int]]:
    """The exit code, the targets, and what was ignored at each."""
    done = subprocess.run(
        ["/bin/sh", "-c", "trap '' INT QUIT; exec \"$@\"", "sh", ROOT / ".ci/run"],
        env={**os.environ, "PATH": os.pathsep.join([str(make.parent), os.environ["PATH"]])},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    return done.returncode, [target for target, _ in lines], [int(mask, 16) for _, mask in lines]


def test_everything_is_run_in_order_and_hears_interrupts(make: Path) -> None:
    code, targets, ignored = ran(make)
    assert (code, targets) == (0, ["lint", "check-tools", "check-deploy", "test"])
    assert [mask & INTERRUPTS for mask in ignored] == [0, 0, 0, 0]


def test_what_fails_ends_it(make: Path) -> None:
    make.with_name("fails").write_text("check-deploy")
    code, targets, _ = ran(make)
    assert code != 0
    assert targets[-1] == "check-deploy"
