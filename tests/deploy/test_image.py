"""The Dockerfile's own lines, run here as they stand: what they make is a service, whole and out of the lock."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.setup import environment
from tests.deploy.reading import ROOT, dockerfile

SERVICE = "kb-search"
INSTALLED = "/opt/throughline"

# Its lines install a service's packages, which takes a while.
pytestmark = pytest.mark.integration


class Build:
    """The first stage, in a folder: what the COPY lines let in, and the RUN lines upon it."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "source"
        self.installed = folder / "installed"

    def copy(self) -> None:
        for word, rest in self._lines():
            if word == "COPY":
                source, target = rest.split()
                self._copied(ROOT / source, self.source / target)

    def run(self) -> subprocess.CompletedProcess[str]:
        """Every line but the one that fetches uv, which is here already; stops at the first that fails."""
        for line in [
            rest for word, rest in self._lines() if word == "RUN" and "pip install --no-cache-dir" not in rest
        ]:
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", line.replace(INSTALLED, str(self.installed))],
                cwd=self.source,
                env=self._environment(),
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                break
        return done

    def _lines(self) -> list[tuple[str, str]]:
        lines = dockerfile()
        stages = [number for number, (word, _) in enumerate(lines) if word == "FROM"]
        return [(word, rest.replace("${SERVICE}", SERVICE)) for word, rest in lines[: stages[1]]]

    def _environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(ROOT / ".tools/bin"), str(Path(sys.base_prefix, "bin")), os.environ["PATH"]])
        # With the set-up's own words for the registry: what it has fetched is kept under that one's name.
        return {**environment(), "SERVICE": SERVICE, "PATH": path}

    @staticmethod
    def _copied(source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)


@pytest.fixture
def build(tmp_path: Path) -> Build:
    made = Build(tmp_path)
    made.copy()
    return made


def test_the_lines_make_a_service_and_nothing_of_the_others(build: Build) -> None:
    done = build.run()
    assert done.returncode == 0, done.stderr
    (packages,) = build.installed.glob("lib/python*/site-packages")
    ours = {path.name for path in packages.glob("throughline_*.dist-info")}
    assert {re.sub(r"-[\d.]+dist-info$", "", name) for name in ours} == {
        "throughline_chassis",
        "throughline_events",
        "throughline_kb_search",
    }
    # No source of ours is needed any more: it runs from what was installed.
    shutil.rmtree(build.source)
    told = subprocess.run(
        [build.installed / "bin/python", "-m", "kb_search", "--help"], capture_output=True, text=True, check=True
    )
    assert "serve" in told.stdout
    assert "migrate" in told.stdout


@pytest.mark.parametrize("package", ["fastapi", "hatchling"])
def test_a_package_with_another_sum_makes_no_image(build: Build, package: str) -> None:
    lock = build.source / "requirements.lock"
    entry = re.search(rf"^{package}==(?:.*\\\n)+.*\n", lock.read_text(), re.MULTILINE)
    assert entry is not None
    forged = re.sub(r"(?<=--hash=sha256:)[0-9a-f]{8}", "00000000", entry[0])
    lock.write_text(lock.read_text().replace(entry[0], forged))
    done = build.run()
    assert done.returncode != 0
    assert f"{package}" in done.stderr


def test_a_package_that_the_lock_does_not_name_makes_no_image(build: Build) -> None:
    lock = build.source / "requirements.lock"
    lock.write_text(re.sub(r"^structlog==(?:.*\\\n)+.*\n", "", lock.read_text(), flags=re.MULTILINE))
    done = build.run()
    assert done.returncode == 1
    assert re.search(r"structlog==\S+ is not in the lock", done.stdout)
