"""Signals between the replicas of a service: told at a commit to each of them, over PostgreSQL's LISTEN and NOTIFY."""

import asyncio
from collections.abc import Callable
from typing import Final

import asyncpg
import orjson
import structlog

from chassis import sessions
from chassis.backoff import Backoff
from chassis.database import Connection, Database
from chassis.errors import Unavailable
from chassis.readiness import OK, Finding, degraded
from chassis.sessions import session_settings

Heard = Callable[[str], None]

EVERYTHING: Final = ""
_WIRE: Final = "throughline_signals"
_LONGEST: Final = 7_999  # PostgreSQL takes payloads of less than 8,000 bytes
_LOOK_S: Final = 3.0
_log = structlog.get_logger(__name__)


class Signals:
    """One listening connection a process, made anew whenever it breaks.

    A signal is a hint, never the only way to know: what was sent while nobody listened is lost. So after each
    (re)connect all callbacks are called with `""`, which says "look at everything again".
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._callbacks: dict[str, list[Heard]] = {}
        self._heard: asyncio.Queue[str | None] = asyncio.Queue()
        self._backoff = Backoff(first_s=0.1, most_s=2.0)
        self._listening = False

    def on(self, channel: str, callback: Heard) -> Callable[[], None]:
        """Calls `callback` with the payload of each signal of this channel; what it raises ends `run`.

        Gives the function that ends this. Call it in the event loop that runs `run`.
        """
        self._callbacks.setdefault(channel, []).append(callback)

        def off() -> None:
            left = self._callbacks.get(channel, [])
            if callback in left:
                left.remove(callback)
            if not left:
                self._callbacks.pop(channel, None)

        return off

    async def send(self, tx: Connection, channel: str, payload: str) -> None:
        """Tells every replica, this one too, once `tx` has committed, and nobody where it does not.

        Signals that are equal within a transaction arrive once. Commits that send anything queue for one lock of the
        whole cluster: send where somebody waits for it, and many at once by `send_all`.
        """
        await self.send_all(tx, [(channel, payload)])

    async def send_all(self, tx: Connection, signals: list[tuple[str, str]]) -> None:
        """As `send`, for many (channel, payload)."""
        if signals:
            wires = [_written(channel, payload) for channel, payload in signals]
            await tx.execute("select pg_notify($1, wire) from unnest($2::text[]) wire", _WIRE, wires)

    async def run(self) -> None:
        """Listens until it is cancelled; the database's absence is waited out."""
        while True:
            try:
                await self._term()
            except (Unavailable, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                _log.info("signals_not_heard", error=type(error.__cause__ or error).__name__)
            await self._backoff.sleep()

    def check(self) -> Finding:
        """For `/readyz`: whether the other replicas are heard. Without it work is found by looking, which is slower."""
        return (
            OK if self._listening else degraded("signals of other replicas are not heard: PostgreSQL does not answer")
        )

    async def _term(self) -> None:
        """One connection's life; ends by what ends the connection."""
        async with asyncio.timeout(_LOOK_S):
            connection = await sessions.connect(self._db.dsn, session_settings(f"{self._db.name} signals"))
        try:
            await self._listen(connection)
        finally:
            self._listening = False
            connection.terminate()

    async def _listen(self, connection: Connection) -> None:
        async with sessions.answering(_LOOK_S):
            await connection.add_listener(_WIRE, lambda *said: self._heard.put_nowait(str(said[-1])))
        connection.add_termination_listener(lambda _: self._heard.put_nowait(None))
        self._backoff.reset()
        self._listening = True
        self._tell_all()
        while True:
            wire = await self._next()
            if wire is None:
                async with sessions.answering(_LOOK_S):
                    await connection.execute("select 1")
            else:
                self._tell(*_read(wire))

    async def _next(self) -> str | None:
        """What is heard next; None where it is time to see whether the server still answers.

        One that is frozen or cut off says nothing, like one that has nothing to say.
        """
        try:
            async with asyncio.timeout(_LOOK_S):
                return await self._heard.get()
        except TimeoutError:
            return None

    def _tell(self, channel: str, payload: str) -> None:
        if channel == EVERYTHING:
            self._tell_all()
        for callback in tuple(self._callbacks.get(channel, ())):
            callback(payload)

    def _tell_all(self) -> None:
        for callbacks in tuple(self._callbacks.values()):
            for callback in tuple(callbacks):
                callback(EVERYTHING)


def _written(channel: str, payload: str) -> str:
    """What is too long to be told becomes "look at everything again", of this channel or of all."""
    for wire in ([channel, payload], [channel, EVERYTHING]):
        text = orjson.dumps(wire)
        if len(text) <= _LONGEST:
            return text.decode()
    return orjson.dumps([EVERYTHING, EVERYTHING]).decode()


def _read(wire: str) -> tuple[str, str]:
    channel, payload = orjson.loads(wire)
    return channel, payload
