"""Live commands: gathered, decided and committed together, each answered once its event is safe."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

from chassis.clock import Clock
from chassis.errors import InFlight, Overloaded, Refused, Unavailable
from chassis.group_commit import GroupCommit
from chassis.store import Appended
from intake.app.answers import Answer
from intake.app.batch import Outcome, Settled, settle
from intake.app.ports import LiveStore, LiveUnit
from intake.domain.commands import Command


class Desk:
    """Takes live commands in.

    A key is marked while it is worked on, so that its second use is told so at once; the mark is gone before any caller
    is answered. Over several replicas the keys that the running transaction has reserved do the same.
    """

    def __init__(
        self,
        store: LiveStore,
        clock: Clock,
        committed: Callable[[Appended], None],
        *,
        patience_s: float = 1.0,
        whole_batch_s: float = 20.0,
    ) -> None:
        """`committed` is told after each commit; above `patience_s` of waiting by the oldest, newcomers are refused.

        A caller's batch that is not settled after `whole_batch_s` is answered `Unavailable`.
        """
        self._store = store
        self._clock = clock
        self._committed = committed
        self._patience_s = patience_s
        self._whole_batch_s = whole_batch_s
        self._in_flight: set[tuple[str, str]] = set()
        self.group: GroupCommit[Command, Answer] = GroupCommit(
            self.write, release=self._release, weigh=lambda command: command.size, patience_s=patience_s
        )

    async def take(self, command: Command) -> Answer:
        """The command's answer, after its event is committed.

        Raises `InFlight`, `KeyReused`, `NotFound`, `Overloaded` (nothing was done) or `Unavailable`.
        """
        mark = command.mark
        if mark is None:
            return await self.group.submit(command)
        if mark in self._in_flight:
            raise InFlight("A request with this key is being worked on: send it again in a moment.")
        self._in_flight.add(mark)
        try:
            return await self.group.submit(command)
        except Overloaded:
            # Raised before the command was queued, so nobody else takes the mark away.
            self._in_flight.discard(mark)
            raise

    async def take_all(self, commands: Sequence[Command]) -> list[Answer | Refused]:
        """An outcome for each command, in order; of commands with one key each waits for those before it.

        Raises `Overloaded` where nothing was begun, `Unavailable` where the outcome of one is not known.
        """
        if self.group.oldest_wait_s > self._patience_s:
            raise Overloaded
        outcomes: dict[str, Answer | Refused] = {}
        for turn in turns(commands):
            settled = await asyncio.gather(*(self._persist(command) for command in turn))
            outcomes.update(zip((command.event_id for command in turn), settled, strict=True))
        return [outcomes[command.event_id] for command in commands]

    async def write(self, commands: Sequence[Command]) -> Sequence[Outcome]:
        """Settles a batch in one transaction; one outcome a command, in order."""

        async def work(unit: LiveUnit) -> Settled:
            return await settle(unit, self._clock, commands)

        settled = await self._store.run(work)
        if settled.appended is not None:
            self._committed(settled.appended)
        return settled.outcomes

    async def _persist(self, command: Command) -> Answer | Refused:
        """As `take`, for one of many: a batch that was let in is not refused halfway for what waits before it."""
        try:
            async with asyncio.timeout(self._whole_batch_s):
                return await self._taken(command)
        except TimeoutError as error:
            raise Unavailable("The batch took too long: send it again with the same keys.") from error

    async def _taken(self, command: Command) -> Answer | Refused:
        while True:
            try:
                return await self.take(command)
            except Overloaded:
                await asyncio.sleep(self._patience_s / 10)
            except Unavailable:
                raise
            except Refused as refused:
                return refused

    def _release(self, command: Command) -> None:
        if command.mark is not None:
            self._in_flight.discard(command.mark)


def turns(commands: Sequence[Command]) -> list[list[Command]]:
    """The commands in order, parted so that no part holds a key twice: its second use must find the first's answer."""
    parts: list[list[Command]] = []
    seen: Counter[tuple[str, str]] = Counter()
    for command in commands:
        turn = 0
        if command.mark is not None:
            turn = seen[command.mark]
            seen[command.mark] += 1
        if turn == len(parts):
            parts.append([])
        parts[turn].append(command)
    return parts
