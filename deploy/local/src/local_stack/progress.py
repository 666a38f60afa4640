"""What a command shows while it works: a line per part that moves on a terminal, and stands in a log."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Lock
from types import TracebackType

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from local_stack.stack import Condition


class Progress:
    """Takes what each part is at, from any thread."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._lock = Lock()
        self._begun = time.monotonic()
        self._bars = Bars(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description:<12}"),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[at]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._last = ""

    def __enter__(self) -> Progress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()
        if self._last and error is None:
            self._console.print(self._last)

    def say(self, part: str, at: str) -> None:
        """`at` is what the part is at now; empty when it is done."""
        with self._lock:
            if part not in self._tasks:
                self._tasks[part] = self._bars.add_task(part, total=1, at=at)
            self._bars.update(self._tasks[part], completed=0 if at else 1, at=at)
            if not self._console.is_terminal and not at:
                self._console.print(f"  {part:<12} {time.monotonic() - self._begun:5.1f} s")

    def close(self, text: str) -> None:
        """The last line, printed once the moving ones stand still."""
        self._last = text


def table(conditions: Sequence[Condition]) -> None:
    """Prints one line per part."""
    shown = Table("part", "port", "pid", "state", "memory", "up for", box=None, header_style="bold")
    for each in conditions:
        memory = f"{each.memory_mb:.0f} MB" if each.pid else ""
        age = f"{each.age_s:.0f} s" if each.pid else ""
        shown.add_row(each.name, str(each.port), str(each.pid or ""), each.state, memory, age)
    Console(highlight=False).print(shown if conditions else "there is no stack; `make up` starts one")
