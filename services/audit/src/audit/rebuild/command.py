"""`python -m audit rebuild`: what it needs is made here, what it does is shown."""

import sys
from typing import Final

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from audit.adapters.collector import calm
from audit.adapters.log import CONSUMER
from audit.rebuild.catching_up import live
from audit.rebuild.means import Terms, means
from audit.rebuild.run import Rebuild, Told
from audit.rebuild.source import LogSource
from audit.settings import AuditSettings

_IDS: Final = "select distinct topic, topic_id::text from consumer_offsets where consumer = $1"


def rebuild(settings: AuditSettings, *, from_records: bool, workers: int | None) -> int:
    """Runs a rebuild to its end, showing how far it is; the number of records in the new projection."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(file=sys.stderr)) as shown:
        return uvloop.run(run(settings, Shown(shown), from_records=from_records, workers=workers))


class Shown:
    """A line with a bar for each stage."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        """See Told."""
        if stage not in self._tasks:
            self.end()
            self._tasks[stage] = self._progress.add_task(stage, total=None)
        self._progress.update(self._tasks[stage], completed=done, total=total or None)

    def end(self) -> None:
        """What went before is done."""
        for task in self._progress.tasks:
            if not task.finished:
                self._progress.update(task.id, total=task.completed or 1, completed=task.completed or 1)


async def run(settings: AuditSettings, told: Told, *, from_records: bool, workers: int | None = None) -> int:
    """The same with whoever wants to be told how far it is. Raises Misconfigured and Transient errors."""
    await calm()
    terms = Terms(settings, settings.cached_events, from_records)
    async with means(terms, "audit rebuild") as found:
        if isinstance(found.source, LogSource):
            ids = {row["topic"]: row["topic_id"] for row in await found.connection.fetch(_IDS, CONSUMER)}
            await found.source.check(await live(found.connection), ids)
        return await Rebuild(terms, found, told=told, workers=workers).run()
