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
    "router": "services/router/src",
    "escalation": "services/escalation/src",
    "audit": "services/audit/src",
    "kb_search": "services/kb-search/src",
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
SERVICES = ["intake", "router", "escalation", "audit", "kb_search"]
Breach = tuple[dict[str, str], set[str]]
BREACHES: list[Breach] = [
    ({"chassis/clock.py": "import intake.main"}, {DOWN}),
    ({"events/times.py": "import chassis.clock"}, {DOWN}),
    ({"throughline/client.py": "import chassis.clock"}, {OUTSIDE}),
    ({"intake/domain/__init__.py": "import intake.app"}, {INSIDE}),
    ({"audit/api/__init__.py": "import audit.main"}, {INSIDE}),
    ({"router/api/__init__.py": "import router.adapters"}, {INSIDE}),
    ({"audit/domain/__init__.py": "from time import monotonic"}, {PURE}),
    ({"events/times.py": "import socket"}, {PURE}),
    ({"events/times.py": "import orjson"}, {EVENTS}),
    ({"chassis/errors.py": "import chassis.database"}, {CIRCLE}),
]


def breaches_of(service: str) -> list[Breach]:
    """Each rule for services broken once in this one; those in one copy do not lead to one another."""
    other = SERVICES[SERVICES.index(service) - 1]
    core, uses, edge = (f"{service}/{layer}/__init__.py" for layer in ("domain", "app", "adapters"))
    return [
        ({core: "import chassis.clock", uses: f"import {service}.settings"}, {CORE, SETTINGS}),
        ({core: "import asyncio", uses: f"import {service}.adapters", edge: f"import {other}.domain"},
         {PURE, INSIDE, DOWN}),
    ]  # fmt: skip


ALL: list[Breach] = [*BREACHES, *(breach for service in SERVICES for breach in breaches_of(service))]


def test_every_contract_holds(copy: Path) -> None:
    assert broken_contracts(copy) == set()


def test_every_contract_is_broken_below() -> None:
    assert {contract for _, broken in ALL for contract in broken} == CONTRACTS


def test_every_service_is_among_them() -> None:
    assert {path.parent.name for path in ROOT.glob("services/*/src/*/main.py")} == set(SERVICES)


@pytest.mark.parametrize(
    ("lines", "broken"), ALL, ids=["; ".join(f"{module}: {line}" for module, line in lines.items()) for lines, _ in ALL]
)
def test_a_breach_is_found(copy: Path, lines: dict[str, str], broken: set[str]) -> None:
    paths = {copy / PACKAGES[module.partition("/")[0]] / module: line for module, line in lines.items()}
    before = {path: path.read_text() for path in paths}
    for path, line in paths.items():
        path.write_text(f"{before[path]}\n{line}\n")
    try:
        assert broken <= broken_contracts(copy)
    finally:
        for path, text in before.items():
            path.write_text(text)


@pytest.mark.parametrize("service", SERVICES)
def test_a_module_that_no_layer_knows_is_found(copy: Path, service: str) -> None:
    stray = copy / PACKAGES[service] / service / "helpers.py"
    stray.touch()
    try:
        assert broken_contracts(copy) == {INSIDE}
    finally:
        stray.unlink()
