"""Who PostgreSQL runs as: it refuses to be root, and to be a user without a name."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local_stack.errors import Failed

_NOBODY = 65534


@dataclass(frozen=True, slots=True)
class Identity:
    """What to put before the command, and the user to start it as (None: our own)."""

    prefix: tuple[str, ...] = ()
    user: str | None = None


def identity(folder: Path) -> Identity:
    """Who may serve the data in `folder`: a user namespace comes first, as its files stay ours. Raises Failed."""
    if os.geteuid() != 0 and _has_a_name():
        return Identity()
    prefix = ("unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}", "--")
    if _works(prefix):
        return Identity(prefix=prefix)
    if os.geteuid() == 0 and _works(("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"), folder):
        return Identity(user="nobody")
    raise Failed(
        "PostgreSQL refuses to run as root or as a user without an entry in /etc/passwd, and neither `unshare --user` "
        f"nor the user nobody can be used for {folder}; run this as an ordinary user, or set DATABASE_URL"
    )


def _has_a_name() -> bool:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


def _works(prefix: tuple[str, ...], reachable: Path | None = None) -> bool:
    if shutil.which(prefix[0]) is None:
        return False
    probe = ["test", "-x", os.fspath(reachable)] if reachable else ["true"]
    done = subprocess.run([*prefix, *probe], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode == 0
