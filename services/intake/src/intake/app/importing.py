"""Imports: past events taken in chunk by chunk, each line answered, live contacts never kept waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

from chassis.bodies import parse_json
from chassis.errors import Invalid, Overloaded, StaleTransaction, TooLarge, Unavailable
from chassis.store import Append, Appended, NewEvent
from events import key_ids
from events.canonical import canonical
from intake.app import facts
from intake.app.ports import ImportStore, ImportUnit
from intake.domain import streams
from intake.domain.imports import ERASED, Accepted, Outcome, Rejected, decide_all
from intake.domain.lines import Fault, Line, read
from intake.domain.ndjson import numbered

MOST_LINES = 10_000
LONGEST_LINE = 1 << 20
ESCAPED = 6  # bytes of \uXXXX, which stands for one byte at the least
TOO_LONG = Fault("", f"the line is longer than {LONGEST_LINE} bytes")
CHUNK_LINES = 500
CHUNK_BYTES = 4 << 20
# Lines that are checked before the loop is given back: a few milliseconds of a live contact's wait.
AT_A_STRETCH = 50
ATTEMPTS = 5

Answer = tuple[int, Outcome]
Numbered = tuple[int, bytes]


class Imports:
    """Takes imports in, as many at once as there are stores, each with a connection of its own."""

    def __init__(
        self, stores: Sequence[ImportStore], committed: Callable[[Appended], None], *, patience_s: float
    ) -> None:
        """`committed` is told after each commit; who waits for a store for longer than `patience_s` is refused."""
        self._free: asyncio.Queue[ImportStore] = asyncio.Queue()
        for store in stores:
            self._free.put_nowait(store)
        self._committed = committed
        self._patience_s = patience_s

    async def take(self, body: bytes) -> list[Answer]:
        """An outcome for each line of an NDJSON body, in order.

        Raises `TooLarge` for more than 10,000 lines, `Overloaded` where nothing was begun, `Unavailable` where the
        database went away: what was taken until then stays, and the same import again takes the rest.
        """
        lines = list(numbered(body))
        if len(lines) > MOST_LINES:
            raise TooLarge(f"An import takes {MOST_LINES} lines at most: send these {len(lines)} in parts.")
        answers: list[Answer] = []
        async with self._store() as store:
            for chunk in _chunks(lines):
                answers += await self._take_chunk(store, chunk)
        return answers

    @asynccontextmanager
    async def _store(self) -> AsyncIterator[ImportStore]:
        try:
            async with asyncio.timeout(self._patience_s):
                store = await self._free.get()
        except TimeoutError as error:
            raise Overloaded("Other imports are being taken in: send this one again later.") from error
        try:
            yield store
        finally:
            self._free.put_nowait(store)

    async def _take_chunk(self, store: ImportStore, chunk: Sequence[Numbered]) -> list[Answer]:
        outcomes: dict[int, Outcome] = {}
        good: dict[int, Line] = {}
        for place, (number, raw) in enumerate(chunk):
            if place % AT_A_STRETCH == AT_A_STRETCH - 1:
                await asyncio.sleep(0)
            line = parsed(raw)
            if isinstance(line, Line):
                good[number] = line
            else:
                outcomes[number] = Rejected(tuple(line))
        taken = await self._write(store, list(good.values()))
        outcomes |= zip(good, taken, strict=True)
        return [(number, outcomes[number]) for number, _ in chunk]

    async def _write(self, store: ImportStore, lines: Sequence[Line]) -> list[Outcome]:
        if not lines:
            return []
        for _ in range(ATTEMPTS):
            try:
                outcomes, appended = await store.run(lambda unit: settle(unit, lines))
            except StaleTransaction:
                continue
            if appended is not None:
                self._committed(appended)
            return outcomes
        raise Unavailable("Other imports of the same events keep coming first: send this one again.")


def parsed(raw: bytes) -> Line | list[Fault]:
    """The line that these bytes are, or what is wrong with them.

    Its length is that of its content in UTF-8: whether a sender escapes characters (six bytes for one) does not decide
    what is taken.
    """
    if len(raw) > ESCAPED * LONGEST_LINE:
        return [TOO_LONG]
    try:
        members = parse_json(raw)
    except Invalid as invalid:
        return [Fault(error["field"], error["reason"]) for error in invalid.errors]
    if len(raw) > LONGEST_LINE and len(canonical(members)) > LONGEST_LINE:
        return [TOO_LONG]
    return read(members)


async def settle(unit: ImportUnit, lines: Sequence[Line]) -> tuple[list[Outcome], Appended | None]:
    """Writes a chunk's good lines in one transaction. Raises `StaleTransaction` where it must be run again."""
    await unit.hold({streams.of_import(line.request_id) for line in lines})
    decided = decide_all(await unit.past(lines), lines)
    personal = {line.event_id for line, outcome in zip(lines, decided, strict=True) if _needs_key(line, outcome)}
    keys = await unit.keys({key_ids.of_request(line.request_id) for line in lines if line.event_id in personal})
    erased = {line.event_id for line in lines if key_ids.of_request(line.request_id) in keys.destroyed} & personal
    outcomes = [ERASED if line.event_id in erased else made for line, made in zip(lines, decided, strict=True)]
    accepted = [line for line, outcome in zip(lines, outcomes, strict=True) if isinstance(outcome, Accepted)]
    if not accepted:
        return outcomes, None
    await unit.take(accepted)
    events: dict[str, list[NewEvent]] = {}
    for line in accepted:
        events.setdefault(streams.of_import(line.request_id), []).append(facts.of_line(line, keys.sealer))
    appends = [Append(stream, None, tuple(made), stamp=False) for stream, made in events.items()]
    return outcomes, await unit.append([*keys.made, *appends])


def _needs_key(line: Line, outcome: Outcome) -> bool:
    return isinstance(outcome, Accepted) and facts.is_personal(line)


def _chunks(lines: Sequence[Numbered]) -> Iterator[list[Numbered]]:
    """Parts of at most `CHUNK_LINES` lines and about `CHUNK_BYTES`: one transaction each."""
    chunk: list[Numbered] = []
    size = 0
    for line in lines:
        if chunk and (len(chunk) >= CHUNK_LINES or size + len(line[1]) > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(line)
        size += len(line[1])
    if chunk:
        yield chunk
