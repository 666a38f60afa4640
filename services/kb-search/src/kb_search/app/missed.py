"""Counts what searches did not find, beside them: a count is no reason to let anybody wait for his answer."""

from collections import Counter
from contextlib import suppress
from typing import Final

from chassis.alarm import Alarm
from chassis.clock import Clock
from chassis.database import Connection, Database
from chassis.errors import Unavailable
from kb_search.app.ports import Gaps

_NET_S: Final = 5.0
_MOST: Final = 10_000


class Missed:
    """What was missed is written within moments, while the database is away kept, and at a kill lost: it is a statistic
    and no fact."""

    def __init__(self, db: Database, gaps: Gaps, clock: Clock) -> None:
        self._db = db
        self._gaps = gaps
        self._clock = clock
        self._counted: Counter[str] = Counter()
        self._alarm = Alarm(self._turn, net_s=_NET_S, name="missed")

    def note(self, asked: str) -> None:
        """Once more. Of very many different ones the later are left out."""
        if asked in self._counted or len(self._counted) < _MOST:
            self._counted[asked] += 1
            self._alarm.wake()

    @property
    def waiting(self) -> int:
        """How many different ones are not written yet."""
        return len(self._counted)

    async def run(self) -> None:
        """Until `stop()`; what is left then is written, as far as that can be done."""
        await self._alarm.run()
        with suppress(Unavailable):
            await self._turn()

    def stop(self) -> None:
        """Ask `run` to end."""
        self._alarm.stop()

    async def _turn(self) -> float | None:
        counted, self._counted = self._counted, Counter()
        if counted:
            try:
                await self._db.run(lambda tx: self._write(tx, counted))
            except Unavailable:
                self._counted.update(counted)
                raise
        return None

    async def _write(self, tx: Connection, counted: Counter[str]) -> None:
        await self._gaps.count(tx, "search", counted, now_us=self._clock.now_us())
