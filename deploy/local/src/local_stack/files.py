"""Files that are there whole or not at all, and the lock that lets one command at a time work on a folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from local_stack.errors import Busy


def replace_file(path: Path, text: str, mode: int = 0o600) -> None:
    """Writes the file so that a reader sees the old text or the new one, whatever dies when."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@contextlib.contextmanager
def locked(folder: Path, patience_s: float = 150.0) -> Iterator[None]:
    """Holds the folder for this process alone; the kernel lets go when the process dies. Raises Busy."""
    deadline = time.monotonic() + patience_s
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            while not _lock(descriptor):
                if time.monotonic() >= deadline:
                    raise Busy(f"another command works on {folder}; wait for it, or end it")
                time.sleep(0.1)
            if _is_still_there(folder, descriptor):
                yield
                return
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _is_still_there(folder: Path, descriptor: int) -> bool:
    """False where the one who held it before us has removed the folder: our lock is then on nothing."""
    with contextlib.suppress(OSError):
        return os.path.samestat(folder.stat(), os.fstat(descriptor))
    return False
