"""Runs a service's own command on this machine: the commands that need its database, not its API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from throughline.stack import Stack
from throughline.trouble import Usage

REQUIRED = "DATABASE_URL"


def run_beside(stack: Stack, service: str, arguments: Sequence[str]) -> int:
    """`python -m <service> …` with that service's settings; its exit code. Raises Usage where they are not to be had."""
    module = service.replace("-", "_")
    environment = settings_of(stack, service, os.environ)
    return subprocess.run([sys.executable, "-m", module, *arguments], env=environment, check=False).returncode


def settings_of(stack: Stack, service: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a service's command: this one if it names a database, else that of the running service."""
    raise Usage(f"{service}: no settings", json.dumps([str(Path()), *environment]))
