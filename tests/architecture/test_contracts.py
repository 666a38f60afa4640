"""import-linter's contracts hold, and each bites: every one is broken once on purpose, in a copy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")
PACKAGES = {
    "events": "libs/events/src",
    "chassis": "libs/chassis/src",
    "throughline": "libs/cli/src",
    "intake": "services/intake/src",
    "audit": "services/audit/src",
    "local_stack": "deploy/local/src",
}
DOWN = "Dependencies between packages point down"
OUTSIDE = "The command line and the local stack meet the services from outside only"
INSIDE = "Inside a service: the composition root, the edges, the use cases, the core"
CORE = "A service's core knows the events and nothing of the chassis"
PURE = "The core does no I/O and knows no framework, no clock and no chance"
EVENTS = "The events stand on pydantic alone"
SETTINGS = "Settings are read by the composition root alone"
CIRCLE = "No package's modules import one another in a circle"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for package, source in PACKAGES.items():
        shutil.copytree(
            ROOT / source / package, folder / source / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def broken_contracts(folder: Path) -> set[str]:
    """The names of the contracts that do not hold in this copy."""
    paths = os.pathsep.join(str(folder / source) for source in PACKAGES.values())
    done = subprocess.run(
        [LINTER, "--no-logo", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = re.findall(r"^(.*) (KEPT|BROKEN)", done.stdout, re.MULTILINE)
    assert len(verdicts) == len(CONTRACTS), done.stdout + done.stderr
    return {name for name, verdict in verdicts if verdict == "BROKEN"}


CONTRACTS = {DOWN, OUTSIDE, INSIDE, CORE, PURE, EVENTS, SETTINGS, CIRCLE}
BREACHES = [
    ("chassis/clock.py", "import intake.main", {DOWN}),
    ("events/times.py", "import chassis.clock", {DOWN}),
    ("audit/main.py", "import intake.domain", {DOWN}),
    ("throughline/client.py", "import chassis.clock", {OUTSIDE}),
    ("intake/domain/__init__.py", "import intake.app", {INSIDE}),
    ("intake/app/__init__.py", "import intake.adapters", {INSIDE}),
    ("audit/api/__init__.py", "import audit.main", {INSIDE}),
    ("audit/domain/__init__.py", "import chassis.clock", {CORE}),
    ("audit/domain/__init__.py", "import asyncpg", {PURE}),
    ("intake/domain/__init__.py", "from time import monotonic", {PURE}),
    ("events/times.py", "import socket", {PURE}),
    ("events/times.py", "import orjson", {EVENTS}),
    ("intake/app/__init__.py", "import intake.settings", {SETTINGS}),
    ("chassis/errors.py", "import chassis.database", {CIRCLE}),
]


def test_every_contract_holds(copy: Path) -> None:
    assert broken_contracts(copy) == set()


def test_every_contract_is_broken_below() -> None:
    assert {contract for _, _, broken in BREACHES for contract in broken} == CONTRACTS


@pytest.mark.parametrize(
    ("module", "line", "broken"), BREACHES, ids=[f"{module}: {line}" for module, line, _ in BREACHES]
)
def test_a_breach_is_found(copy: Path, module: str, line: str, broken: set[str]) -> None:
    package = module.partition("/")[0]
    path = copy / PACKAGES[package] / module
    before = path.read_text()
    path.write_text(f"{before}\n{line}\n")
    try:
        assert broken <= broken_contracts(copy)
    finally:
        path.write_text(before)


def test_a_module_that_no_layer_knows_is_found(copy: Path) -> None:
    stray = copy / PACKAGES["intake"] / "intake/helpers.py"
    stray.touch()
    try:
        assert broken_contracts(copy) == {INSIDE}
    finally:
        stray.unlink()
