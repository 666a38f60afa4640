"""Runs a service's own command on this machine: the commands that need its database, not its API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from throughline.stack import Stack
from throughline.trouble import Usage


def run_beside(stack: Stack, service: str, arguments: Sequence[str]) -> int:
    """`python -m <service> …` with that service's settings; its exit code. Raises Usage where these are not known."""
    command = [sys.executable, "-m", service.replace("-", "_"), *arguments]
    return subprocess.run(command, env=settings_of(stack, service, os.environ), check=False).returncode


def settings_of(stack: Stack, service: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a service's command: a local stack's settings over this process's own.

    Without a run folder the environment must name the database itself, as that of the service does. Raises Usage.
    """
    if stack.run_dir is None:
        if "DATABASE_URL" not in environment:
            raise Usage(
                f"the settings of {service} are not known here",
                "run it where the service runs, with the same environment (DATABASE_URL and the rest), or give --stack",
            )
        return dict(environment)
    facts, secrets = (_read(stack.run_dir / name) for name in ("stack.json", "secrets.json"))
    try:
        told = {
            "DATABASE_URL": facts["postgres"][service],
            "KAFKA_BOOTSTRAP_SERVERS": facts["kafka"],
            "THROUGHLINE_MASTER_KEY": secrets["master_key"],
        }
    except KeyError as error:
        there = ", ".join(facts.get("postgres", ()))
        raise Usage(
            f"{stack.run_dir} knows no service {service}", f"there are {there}; `make up` writes it anew"
        ) from error
    # The tokens are who may call the service; a command of its own is called by nobody.
    return {**environment, **told, "THROUGHLINE_TOKENS": "{}"}


def _read(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Usage(f"{path} cannot be read: {error}", "`make up` writes it anew") from error
    return facts if isinstance(facts, dict) else {}
