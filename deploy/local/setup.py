"""Brings a fresh machine to where everything here runs: uv, the locked packages, our own members, Kafka's jars.

Only Python's standard library is used, and only `.tools` and `.venv` are written. Each step is remembered by a sum of
what it was made from, so that a call with nothing to do costs a few milliseconds.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
TOOLS = ROOT / ".tools"
VENV = ROOT / ".venv"
UV = TOOLS / "bin" / "uv"
CHECKS = TOOLS / "deploy"
CHECKS_LOCK = HERE.parent / "checks" / "tools.lock"
UNPACK = HERE.parent / "checks" / "unpack.py"
UV_HASHES = HERE / "uv.hashes"
LOCK = ROOT / "requirements.lock"
OLDEST = (3, 11)


class SetUpFailed(Exception):
    """A step went wrong; the message says which, and what to do."""


def main() -> None:
    _leave_an_old_python()
    sys.path.insert(0, str(HERE / "src"))
    # Only now: an old Python could not read them.
    from local_stack.errors import Busy
    from local_stack.files import locked

    try:
        with locked(TOOLS, patience_s=600):
            set_up(sys.argv[1:])
    except (SetUpFailed, Busy) as problem:
        sys.exit(f"set-up: {problem}")
    except OSError as problem:
        sys.exit(f"set-up: {problem}; the repository's folder must be yours to write, with room for 700 MB")
    except KeyboardInterrupt:
        sys.exit("set-up: interrupted; the next call goes on from here")


def set_up(only: Sequence[str] = ()) -> None:
    """Every step in order; what was made from the same inputs before is left alone.

    `lock` renews the lock instead, `tools` fetches what checks the deployment.
    """
    python = python_in_use()
    projects = sorted([*ROOT.glob("libs/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")])
    projects.append(HERE / "pyproject.toml")
    steps = Steps(TOOLS / "steps.json")
    steps.take("uv", "uv, which installs the rest", [python, UV_HASHES], UV.exists(), _fetch_uv)
    if "lock" in only:
        _renew_lock()
        return
    if "tools" in only:
        unpacked = all((CHECKS / "bin" / name).exists() for name in ("kubectl", "promtool"))
        steps.take("tools", "what checks the deployment", [python, CHECKS_LOCK, UNPACK], unpacked, _fetch_tools)
        return
    steps.take("venv", "an environment in .venv", [python], (VENV / "bin/python").exists(), _make_environment)
    steps.take("packages", "the locked packages", [LOCK], True, _install_packages)
    steps.take("members", "Throughline's own packages", list(projects), True, lambda: _install_members(projects))
    _fetch_jars()


def python_in_use() -> str:
    """What an environment stands on: another interpreter, or another place of the repository, needs another one."""
    return f"{os.path.realpath(sys.executable)} {platform.python_version()} {ROOT}"


class Steps:
    """Which step was last done from which inputs. Once one is done anew, so are all that come after it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stale = False
        try:
            self._done: dict[str, str] = json.loads(path.read_text())
        except (OSError, ValueError):
            self._done = {}

    def take(self, name: str, shown: str, inputs: Sequence[str | Path], made: bool, make: Callable[[], None]) -> None:
        """Makes it where its inputs are others than last time, or what it made (as far as that shows) is gone."""
        now = _sum(inputs)
        if made and not self._stale and self._done.get(name) == now:
            return
        self._stale = True
        self._done = {done: of for done, of in self._done.items() if done != name}
        self._write()
        began = time.monotonic()
        print(f"  {shown} …", flush=True)
        make()
        print(f"  {shown}: {time.monotonic() - began:.1f} s", flush=True)
        self._done[name] = now
        self._write()

    def _write(self) -> None:
        from local_stack.files import replace_file

        replace_file(self._path, json.dumps(self._done), mode=0o644)


def _fetch_uv() -> None:
    """By the machine's pip into the folder; where there is none that can, by one in an environment of its own.

    The first takes a third of the time of the second.
    """
    what: list[str | Path] = [
        "--quiet",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--no-cache-dir",
        "-r",
        UV_HASHES,
    ]
    UV.unlink(missing_ok=True)
    done = _run([sys.executable, "-m", "pip", "install", "--upgrade", "--target", TOOLS, *what], quiet=True)
    if not (done and UV.exists()) and _run([sys.executable, "-m", "venv", TOOLS]):
        _run([TOOLS / "bin/python", "-m", "pip", "install", *what])
    if not UV.exists():
        raise SetUpFailed("uv cannot be installed: this needs Python's venv or pip, and a way to the package registry")


def _make_environment() -> None:
    _uv("venv", "--quiet", "--clear", "--python", sys.executable, VENV)


def _install_packages() -> None:
    shown = () if sys.stderr.isatty() else ("--quiet",)
    _uv("pip", "sync", *shown, "--require-hashes", "--python", VENV / "bin/python", LOCK)


def _install_members(projects: Sequence[Path]) -> None:
    """Without isolation, so that what builds them is locked by its sums like everything else."""
    members = [word for project in projects for word in ("-e", project.parent)]
    _uv("pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--python", VENV / "bin/python", *members)


def _fetch_jars() -> None:
    from local_stack.jars import missing

    if missing() and not _run([VENV / "bin/python", "-m", "local_stack.jars"]):
        raise SetUpFailed("Kafka's jars cannot be had; what was fetched is kept, so try again")


def _fetch_tools() -> None:
    """Into an environment of their own: what checks a deployment is no part of what is developed with."""
    shutil.rmtree(CHECKS, ignore_errors=True)
    _uv("venv", "--quiet", "--python", sys.executable, CHECKS)
    _uv("pip", "sync", "--quiet", "--require-hashes", "--python", CHECKS / "bin/python", CHECKS_LOCK)
    if not _run([CHECKS / "bin/python", UNPACK]):
        raise SetUpFailed("a tool that checks the deployment cannot be had; what it said stands above")


def _renew_lock() -> None:
    """Versions and sums alone: the other form, uv.lock, names download addresses and is not committed."""
    _uv("lock", "--upgrade", "--quiet")
    kinds = ["--all-packages", "--all-groups", "--no-emit-workspace", "--no-annotate", "--no-header"]
    _uv("export", "--quiet", "--frozen", *kinds, "--output-file", LOCK)
    print(f"  renewed {LOCK.name}; the next target installs from it")


def _uv(*words: str | Path) -> None:
    if not _run([UV, *words]):
        raise SetUpFailed(f"`uv {' '.join(map(str, words[:2]))}` failed; what it said stands above")


def _run(command: Sequence[str | Path], quiet: bool = False) -> bool:
    output = subprocess.DEVNULL if quiet else None
    try:
        done = subprocess.run(
            command,
            env=environment(),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


@cache
def environment() -> Mapping[str, str]:
    """The caller's, with everything that is fetched or cached kept under `.tools`: HOME may be read-only."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    return {
        **_registry_of_pip(),
        **inherited,
        "UV_CACHE_DIR": str(TOOLS / "uv-cache"),
        "UV_PYTHON_DOWNLOADS": "never",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def _registry_of_pip() -> dict[str, str]:
    """pip's settings in uv's and jgo's words: a machine that must go through a mirror has told pip, and nobody else."""
    words = {
        "index-url": ("UV_DEFAULT_INDEX",),
        "extra-index-url": ("UV_INDEX",),
        "find-links": ("UV_FIND_LINKS",),
        "cert": ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"),
    }
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    settings = re.findall(r"^\S*\.([a-z-]+)='(.*)'$", listed.stdout, re.MULTILINE)
    return {word: value for name, value in settings for word in words.get(name, ())}


def _sum(inputs: Sequence[str | Path]) -> str:
    total = hashlib.sha256()
    for each in inputs:
        content = each.read_bytes() if isinstance(each, Path) else each.encode()
        total.update(hashlib.sha256(content).digest())
    return total.hexdigest()


def _leave_an_old_python() -> None:
    """Goes on with a newer one of the machine's where `python3` is too old."""
    if sys.version_info >= OLDEST:
        return
    for minor in range(20, OLDEST[1] - 1, -1):
        newer = shutil.which(f"python3.{minor}")
        if newer:
            os.execv(newer, [newer, *sys.argv])
    sys.exit(f"set-up: Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; this is {platform.python_version()}")


if __name__ == "__main__":
    main()
