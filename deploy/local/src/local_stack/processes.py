"""Processes that outlive their parent: told apart by start time, found again, and ended whatever state they are in."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from local_stack.deadline import wait_until
from local_stack.errors import Stuck
from local_stack.files import replace_file

MARK = "THROUGHLINE_STACK_MARK"
_LOG_LIMIT = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Process:
    """One process for good: a pid may be given out again, a pid with its start time and boot may not.

    `started` is in clock ticks after the boot (field 22 of /proc/<pid>/stat).
    """

    pid: int
    started: int
    boot: str

    def is_alive(self) -> bool:
        return look(self.pid) == self

    def is_frozen(self) -> bool:
        return self.is_alive() and _state(self.pid) in "Tt"

    def age_s(self) -> float:
        uptime = float(Path("/proc/uptime").read_text().split()[0])
        return max(0.0, uptime - self.started / os.sysconf("SC_CLK_TCK"))


def look(pid: int) -> Process | None:
    """The process that has this pid now; None where there is none, or just a zombie that nobody has reaped."""
    fields = _stat(pid)
    if fields is None or fields[0] in "ZX":
        return None
    return Process(pid, int(fields[19]), _boot())


def command_of(pid: int) -> str:
    """The command line as typed, or the name in brackets where it cannot be read; empty for no such process."""
    with contextlib.suppress(OSError):
        folder = Path(f"/proc/{pid}")
        words = folder.joinpath("cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
        return words or f"[{folder.joinpath('comm').read_text().strip()}]"
    return ""


def spawn(
    command: Sequence[str | Path],
    *,
    mark: Path,
    log: Path,
    environment: Mapping[str, str],
    folder: Path | None = None,
    user: str | None = None,
) -> Process:
    """Starts a process in a session of its own, which writes to `log` and is found by its `mark` without a pid."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_name(log.name + ".1"))
    with log.open("ab") as output:
        child = subprocess.Popen(
            [os.fspath(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**environment, MARK: os.path.realpath(mark)},
            cwd=folder,
            user=user,
            start_new_session=True,
        )
    found = look(child.pid)
    threading.Thread(target=child.wait, daemon=True).start()
    # One that has ended already was never anybody else: a start time that no process has keeps it apart.
    return found or Process(child.pid, 0, _boot())


def remember(path: Path, process: Process) -> None:
    replace_file(path, json.dumps(asdict(process)))


def recall(path: Path) -> Process | None:
    """The process that was remembered here, if it is alive still."""
    try:
        process = Process(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return process if process.is_alive() else None


def marked(mark: Path) -> list[Process]:
    """Every process that was spawned with this mark or one below it, and what these have started."""
    return _where(lambda process: _is_within(_mark_of(process), mark))


def working_in(folder: Path, program: str) -> list[Process]:
    """Every process of this program that works in the folder or below it: no shell that stands there."""
    return _where(
        lambda process: (
            process.joinpath("comm").read_text().strip() == program
            and _is_within(str(process.joinpath("cwd").readlink()), folder)
        )
    )


def all_of(folder: Path) -> list[Process]:
    """What was started from here, by its mark; PostgreSQL's backends overwrite theirs and are found by their folder."""
    found = (*marked(folder), *working_in(folder, "postgres"))
    return list({process.pid: process for process in found}.values())


def memory_mb(process: Process) -> float:
    """Its proportional share of the memory in MB: what several processes share counts once over all of them."""
    with contextlib.suppress(OSError, StopIteration, ValueError):
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024
    return 0.0


def end(processes: Iterable[Process], *, by: signal.Signals = signal.SIGTERM, patience_s: float = 8.0) -> None:
    """Ends them all, frozen ones too: `by` first, SIGKILL where that was not enough. Raises Stuck."""
    found = [process for process in processes if process.pid != os.getpid()]
    for process in found:
        _send(process, by)
        _send(process, signal.SIGCONT)
    if by == signal.SIGKILL or not gone(found, patience_s):
        for process in found:
            _send(process, signal.SIGKILL)
    if not gone(found, 10.0):
        left = ", ".join(f"{p.pid} ({command_of(p.pid)[:80]})" for p in found if p.is_alive())
        raise Stuck(f"cannot end process {left}: not even SIGKILL does")


def thaw(processes: Iterable[Process]) -> None:
    for process in processes:
        _send(process, signal.SIGCONT)


def freeze(processes: Iterable[Process], patience_s: float = 10.0) -> bool:
    """Stops them all; False where one still ran after `patience_s`.

    The kernel hands the signal to one thread, and until that one has had its turn on a busy machine the others go on.
    """
    stopping = list(processes)
    for process in stopping:
        _send(process, signal.SIGSTOP)
    return wait_until(lambda: all(each.is_frozen() or not each.is_alive() for each in stopping), patience_s)


def gone(processes: Sequence[Process], patience_s: float) -> bool:
    """Waits until none of them is alive; False where `patience_s` was not enough."""
    return wait_until(lambda: not any(process.is_alive() for process in processes), patience_s)


def _send(process: Process, number: signal.Signals) -> None:
    if process.is_alive():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, number)


def _where(holds: Callable[[Path], bool]) -> list[Process]:
    return [process for folder, process in _all() if _asks(holds, folder)]


def _asks(holds: Callable[[Path], bool], folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return holds(folder)
    return False


def _all() -> Iterator[tuple[Path, Process]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (process := look(int(folder.name))) is not None:
            yield folder, process


def _stat(pid: int) -> list[str] | None:
    """The fields from the third on: the second is a name in brackets, which may hold anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def _state(pid: int) -> str:
    fields = _stat(pid)
    return fields[0] if fields else "X"


def _mark_of(process: Path) -> str:
    """Empty where it has none."""
    entries = process.joinpath("environ").read_bytes().split(b"\0")
    start = f"{MARK}=".encode()
    return next((entry[len(start) :].decode() for entry in entries if entry.startswith(start)), "")


def _is_within(path: str, folder: Path) -> bool:
    whole = os.path.realpath(folder)
    return path == whole or path.startswith(f"{whole}/")


@cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
