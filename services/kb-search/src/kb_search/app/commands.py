"""How every command runs: once per key, in one transaction under its stream's lock, published after the commit."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from chassis.clock import Clock
from chassis.commands import Use
from chassis.database import Connection, Database
from chassis.facts import event_of
from chassis.ids import new_id
from chassis.keyed import committed, once
from chassis.metrics import Metrics
from chassis.store import Append, Appended, append, lock_streams
from chassis.trace import current_traceparent
from events.base import Fact

SOURCE: Final = "/services/kb-search"


@dataclass(slots=True)
class Turn:
    """One attempt at one command: its transaction, the clock's reading under its lock (µs), and what it stated."""

    tx: Connection
    now_us: int
    appended: list[Appended] = field(default_factory=list)

    async def state(
        self, fact: Fact, *, stream: str, key: str, causation_id: str | None = None, floor_us: int = 0
    ) -> tuple[str, int]:
        """Appends the fact, later than `floor_us`; its event's id and time (law 6: the raw reading stands beside)."""
        occurred_us = max(self.now_us, floor_us + 1)
        event = event_of(
            fact,
            event_id=new_id(),
            source=SOURCE,
            key=key,
            occurred_us=occurred_us,
            clock_us=self.now_us if occurred_us != self.now_us else None,
            causation_id=causation_id,
            traceparent=current_traceparent(),
        )
        appended = await append(self.tx, [Append(stream, None, (event,))])
        self.appended.append(appended)
        return event.event_id, appended.occurred_us[event.event_id]


class Commands:
    """Runs commands."""

    def __init__(self, db: Database, clock: Clock, metrics: Metrics, published: Callable[[], None]) -> None:
        """`published` is called after a commit that stated something: it wakes the relay."""
        self._db = db
        self._clock = clock
        self._metrics = metrics
        self._published = published

    async def take(self, use: Use | None, stream: str, work: Callable[[Turn], Awaitable[bytes]]) -> bytes:
        """The answer of `work`, or the first one under its key. Raises what `work` refuses by, and as `keyed.once`."""
        turns: list[Turn] = []

        async def attempt(tx: Connection) -> bytes:
            turns.clear()

            async def locked() -> bytes:
                await lock_streams(tx, [stream])
                turns.append(Turn(tx, self._clock.now_us()))
                return await work(turns[-1])

            return await once(tx, use, locked, now_us=self._clock.now_us())

        answer = await committed(self._db, attempt)
        stated = [appended for turn in turns for appended in turn.appended]
        for appended in stated:
            appended.count(self._metrics)
        if stated:
            self._published()
        return answer
