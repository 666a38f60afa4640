"""Copies of what has been downloaded that cost no room."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path


def linked_tree(source: Path, target: Path) -> None:
    """The same files under another folder; real copies where that is on another disk."""
    shutil.copytree(source, target, copy_function=_link, symlinks=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            raise
        shutil.copy2(source, target)
