"""The set-up makes what is missing, once, out of what is locked, and says plainly what it cannot do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.local.linking import linked_tree

ROOT = Path(__file__).resolve().parents[2]
BASE_PYTHON = Path(sysconfig.get_config_var("BINDIR")) / f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tracked files, with what has been downloaded here linked into place, and nothing installed."""
    folder = tmp_path_factory.mktemp("checkout")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        if (ROOT / line).is_file():
            (folder / line).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / line, folder / line)
    for part in ("bin", "jars", "uv-cache"):
        linked_tree(ROOT / ".tools" / part, folder / ".tools" / part)
    return folder


def set_up(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BASE_PYTHON, "deploy/local/setup.py"],
        cwd=checkout,
        env={**os.environ, "UV_OFFLINE": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def steps(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What was made, in order."""
    assert done.returncode == 0, done.stderr
    return re.findall(r"^  (.*): [\d.]+ s$", done.stdout, re.MULTILINE)


def test_an_environment_is_made_from_the_lock_and_only_once(checkout: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    pretend_uv(checkout)
    assert steps(set_up(checkout, HOME=str(home))) == [
        "an environment in .venv",
        "the locked packages",
        "Throughline's own packages",
    ]
    assert list(home.iterdir()) == []
    told = subprocess.run([checkout / ".venv/bin/throughline", "--help"], capture_output=True, text=True, check=True)
    assert "Usage" in told.stdout
    where = subprocess.run(
        [
            checkout / ".venv/bin/python",
            "-c",
            "import events, intake, router, escalation, audit, kb_search, local_stack; print(events.__file__)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(checkout))
    again = set_up(checkout)
    assert (steps(again), again.stdout) == ([], "")


def test_a_changed_member_is_installed_anew_and_nothing_else(checkout: Path) -> None:
    pretend_uv(checkout)
    set_up(checkout)
    with (checkout / "libs/events/pyproject.toml").open("a") as file:
        file.write("\n# changed\n")
    assert steps(set_up(checkout)) == ["Throughline's own packages"]


def test_a_package_with_another_sum_is_refused(checkout: Path) -> None:
    pretend_uv(checkout)
    lock = checkout / "requirements.lock"
    honest = lock.read_text()
    shutil.rmtree(checkout / ".venv", ignore_errors=True)
    lock.write_text(re.sub(r"(?<=--hash=sha256:)[0-9a-f]{8}", "00000000", honest))
    try:
        refused = set_up(checkout)
        assert refused.returncode == 1
        assert "`uv pip sync` failed" in refused.stderr
    finally:
        lock.write_text(honest)
    assert "the locked packages" in steps(set_up(checkout))


def test_a_tree_that_is_not_ours_to_write_is_said_plainly(tmp_path: Path) -> None:
    for name in ("errors.py", "files.py", "__init__.py"):
        target = tmp_path / "deploy/local/src/local_stack" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "deploy/local/src/local_stack" / name, target)
    shutil.copy(ROOT / "deploy/local/setup.py", tmp_path / "deploy/local/setup.py")
    (tmp_path / ".tools").write_text("a file where a folder should be")
    done = set_up(tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def pretend_uv(checkout: Path) -> None:
    """Notes uv as installed, which it is, from the same sums: fetching it again is no part of these tests."""
    note = (
        "import json, sys; sys.path.insert(0, 'deploy/local'); sys.path.insert(0, 'deploy/local/src'); import setup; "
    )
    note += "steps = setup.Steps(setup.TOOLS / 'steps.json'); "
    note += "steps.take('uv', '', [setup.python_in_use(), setup.UV_HASHES], setup.UV.exists(), lambda: None)"
    subprocess.run([BASE_PYTHON, "-c", note], cwd=checkout, capture_output=True, check=True)
