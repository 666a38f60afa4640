"""The tools that know a deployment's files: where each one is, and what to do where it is not."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FETCHED = ROOT / ".tools" / "deploy" / "bin"
NAMES = ("hadolint", "check-jsonschema", "kubectl", "kubernetes-validate", "promtool")


class Missing(Exception):
    """A check needs a tool that is not here; the message is its name."""


class Tools:
    """The tools of one folder, or else of the PATH."""

    def __init__(self, folder: Path = FETCHED, path: str | None = None) -> None:
        """`path` is the PATH unless given."""
        self._path = os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath) if path is None else path])

    def missing(self) -> list[str]:
        return [name for name in NAMES if self._find(name) is None]

    def run(self, name: str, *words: str | Path, folder: Path = ROOT) -> tuple[bool, str]:
        """Whether it was content, and what it said. Raises Missing."""
        found = self._find(name)
        if found is None:
            raise Missing(name)
        done = subprocess.run(
            [found, *words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode == 0, (done.stdout if done.returncode == 0 else done.stdout + done.stderr)

    def _find(self, name: str) -> str | None:
        return shutil.which(name, path=self._path)


def told(missing: Sequence[str]) -> str:
    """What to do about tools that are missing."""
    return f"missing: {', '.join(missing)}; `make check-tools` fetches them"
