"""What Kafka, PostgreSQL and our services have in common here: how a part is found, judged, started and ended."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from local_stack.deadline import Deadline
from local_stack.errors import Failed
from local_stack.processes import Process, end


class Server(Protocol):
    """One part of a stack. What is remembered of it stands in files, so that any later command finds it again."""

    @property
    def name(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def log(self) -> Path: ...

    @property
    def patience_s(self) -> float:
        """How long after its start it may take to answer before it counts as one that never will."""

    def process(self) -> Process | None:
        """The process that serves, if it is alive."""

    def answers(self) -> bool:
        """Whether it does its work: a real question, answered within 3 s. A connection alone proves nothing."""

    def launch(self) -> Process:
        """Starts it where nothing of it is left; it does not wait for an answer."""

    def remains(self) -> list[Process]:
        """Every process that belongs to it, its orphans too."""

    def stop(self) -> None:
        """Ends it the way that keeps its data best, and by force where that does not help."""


def ensure(server: Server, deadline: Deadline) -> bool:
    """Makes the server answer: True where it had to be started. Raises Failed.

    One that runs and does not answer is given what is left of its patience, counted from its own start; a frozen one
    gets none.
    """
    process = server.process()
    if process is not None and (server.answers() or _comes_to(server, process, deadline)):
        return False
    end(server.remains(), by=signal.SIGKILL)
    await_answer(server, server.launch(), deadline)
    return True


def await_answer(server: Server, process: Process, deadline: Deadline) -> None:
    """Waits for the answer of a server that was just started. Raises Failed with the end of its log."""
    deadline.wait(lambda: not process.is_alive() or server.answers(), server.patience_s, every_s=0.05)
    if not process.is_alive():
        raise Failed(f"{server.name} ended right after its start; {end_of(server.log)}")
    if not server.answers():
        raise Failed(f"{server.name} does not answer {process.age_s():.0f} s after its start; {end_of(server.log)}")


def complete(
    command: Sequence[str | Path],
    what: str,
    deadline: Deadline,
    *,
    log: Path,
    environment: Mapping[str, str],
    user: str | None = None,
) -> None:
    """Runs a program to its end; what it says goes to the log. For what may be broken off and begun again.

    Raises Failed where it fails or the deadline is over first. `what` is said then: "migrate intake's database".
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("ab") as output,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, user=user
        ) as child,
    ):
        if not deadline.wait(lambda: child.poll() is not None, every_s=0.05):
            child.kill()
            raise Failed(
                f"there was no time left to {what}; nothing is lost: give the same command again; {end_of(log)}"
            )
    if child.returncode != 0:
        raise Failed(f"it was not possible to {what}; {end_of(log)}")


def end_of(log: Path, lines: int = 12) -> str:
    """The last lines of a log, to be read behind a semicolon."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return f"there is no log at {log}"
    return "\n".join([f"the end of {log}:", *(f"  {line}" for line in text.splitlines()[-lines:])])


def _comes_to(server: Server, process: Process, deadline: Deadline) -> bool:
    """Waits for one that may be starting still, or on its way out."""
    patience_s = max(0.0, server.patience_s - process.age_s())
    deadline.wait(lambda: not process.is_alive() or process.is_frozen() or server.answers(), patience_s, every_s=0.1)
    return process.is_alive() and server.answers()
