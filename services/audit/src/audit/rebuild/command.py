"""`python -m audit rebuild`: what it needs is made here, what it does is shown."""

import asyncio
import sys
from typing import Final

import asyncpg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from audit.adapters.collector import calm
from audit.adapters.log import CONSUMER
from audit.adapters.schema import LIVE
from audit.rebuild.catching_up import live
from audit.rebuild.run import Rebuild, Told
from audit.rebuild.source import LogSource, RecordSource, Source
from audit.settings import AuditSettings
from chassis.database import Database
from chassis.sessions import session_settings

_IDS: Final = "select distinct topic, topic_id::text from consumer_offsets where consumer = $1"
_NO_LIMITS: Final = ("transaction_timeout", "idle_in_transaction_session_timeout", "statement_timeout", "lock_timeout")


def rebuild(settings: AuditSettings, *, from_records: bool) -> int:
    """Runs a rebuild to its end, showing how far it is; the number of records in the new projection."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(file=sys.stderr)) as shown:
        return asyncio.run(run(settings, Shown(shown), from_records=from_records))


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


async def run(settings: AuditSettings, told: Told, *, from_records: bool) -> int:
    """The same with whoever wants to be told how far it is. Raises Misconfigured and Transient errors."""
    await calm()
    db = Database(settings.dsn, name="audit rebuild", most=2)
    await db.open()
    limits = dict.fromkeys(_NO_LIMITS, "0")
    connection = await asyncpg.connect(settings.dsn, server_settings=session_settings("audit rebuild") | limits)
    source: Source = RecordSource(db, LIVE) if from_records else LogSource(settings)
    try:
        if isinstance(source, LogSource):
            ids = {row["topic"]: row["topic_id"] for row in await connection.fetch(_IDS, CONSUMER)}
            await source.check(await live(connection), ids)
        origin = "records" if from_records else "log"
        work = Rebuild(db, connection, source, origin=origin, most_events=settings.cached_events, told=told)
        return await work.run()
    finally:
        await source.close()
        await connection.close(timeout=2)
        await db.close()
