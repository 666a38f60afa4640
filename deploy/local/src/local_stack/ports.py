"""TCP ports of the loopback: is one free, and if not, who has it?"""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Iterator
from pathlib import Path

from local_stack.deadline import wait_until
from local_stack.errors import PortTaken
from local_stack.processes import command_of

HOST = "127.0.0.1"
_LISTENING = "0A"
# Below the range that Linux takes for outgoing connections, or one of these may have ours while a server is down.
_FIRST, _LAST = 20_000, 32_000


def claim(port: int, purpose: str, patience_s: float = 5.0) -> None:
    """Waits until the port can be had: a killed server's one lingers for a moment. Raises PortTaken."""
    if not wait_until(lambda: is_free(port), patience_s, every_s=0.1):
        raise PortTaken(_said(port, purpose))


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free(count: int, reserved: Path) -> list[int]:
    """Ports in a row that nobody listens on; files in `reserved` keep other takers of the same folder off them."""
    reserved.mkdir(parents=True, exist_ok=True)
    for first in random.sample(range(_FIRST, _LAST, count), k=(_LAST - _FIRST) // count):
        row = range(first, first + count)
        if all(is_free(port) for port in row) and all(_reserve(reserved / str(port)) for port in row):
            return list(row)
    raise PortTaken(f"no {count} free ports in a row from {_FIRST} to {_LAST}")


def holder_of(port: int) -> int | None:
    """The pid of the process that listens on this port, if we may know it."""
    inodes = {f"socket:[{inode}]" for inode in _listeners(port)}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and inodes and inodes & set(_open_files(folder)):
            return int(folder.name)
    return None


def _said(port: int, purpose: str) -> str:
    pid = holder_of(port)
    who = f"process {pid} ({command_of(pid)[:160]})" if pid else "a process of another user"
    return (
        f"port {port}, wanted for {purpose}, is taken by {who}; "
        "end that process, or put this stack elsewhere with THROUGHLINE_PORT_BASE"
    )


def _listeners(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def _open_files(process: Path) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                yield str(descriptor.readlink())


def _reserve(path: Path) -> bool:
    with contextlib.suppress(FileExistsError):
        path.touch(exist_ok=False)
        return True
    return False
