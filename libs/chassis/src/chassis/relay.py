"""The relay: committed event rows to Kafka, in commit-safe order, by one publisher at a time."""

import asyncio
from contextlib import suppress
from time import monotonic
from typing import Final

import asyncpg
import structlog

from chassis import metrics as catalogue
from chassis import outbox, relay_lease
from chassis.backoff import Backoff
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.kafka import NoAnswer
from chassis.metrics import Metrics
from chassis.publisher import KafkaPublisher, Publishes
from chassis.readiness import OK, Finding, degraded, down
from chassis.relay_lease import Lease, LeaseLost
from chassis.relay_wake import Wake
from chassis.settings import ServiceSettings

_NET_S: Final = 5.0
_STAND_BY_S: Final = 1.0
_RENEW_S: Final = 1.5
_LOOK_S: Final = 1.0
_BOUND_OLD_S: Final = 5.0
_OUTBOX_OLD_S: Final = 30.0
_OTHER_CLUSTER: Final = (
    "the event rows come from another PostgreSQL cluster, whose transaction numbers are ahead: after a restore run the "
    "service's `renumber` command once, with all its replicas stopped"
)
_log = structlog.get_logger(__name__)


class Relay:
    """Publishes a service's event rows. Every replica has one; the one that holds the fenced lease publishes.

    One round is in flight at a time, so that the order of each key outlives a failure. The cursor moves over what is
    acknowledged without a gap; a holder that dies before it moved leaves duplicates in the log, never a loss.
    """

    def __init__(
        self,
        db: Database,
        settings: ServiceSettings,
        metrics: Metrics,
        *,
        ready: asyncio.Event | None = None,
        publisher: Publishes | None = None,
    ) -> None:
        """`ready` is `Topics.made`: nothing is sent before it is set (sending to an unknown topic hangs).

        Where no other `publisher` is given it is Kafka's.
        """
        self._db = db
        self._settings = settings
        self._metrics = metrics
        self._ready = ready
        self._wake = Wake(db)
        self._publisher = KafkaPublisher(settings) if publisher is None else publisher
        self._backoff = Backoff(first_s=0.1, most_s=5.0)
        self._held_back = _soon()
        self._lease: Lease | None = None
        self._seen: outbox.Look | None = None
        self._bound: tuple[int, float | None] = (0, None)
        self._trouble: str | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Publish until `stop()`; Kafka's and PostgreSQL's absence is waited out."""
        watching = asyncio.create_task(self._watch())
        try:
            await self._until_ready()
            while not self._stopping.is_set():
                await self._turn()
            if self._lease is not None:
                await self._give_back(self._lease)
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await self._wake.close()

    def stop(self) -> None:
        """Ask `run` to end; the lease is given back."""
        self._stopping.set()
        self._wake.set()

    def wake(self) -> None:
        """There is something new: call it after each commit. A replica without the lease tells the one that has it."""
        self._wake.set()

    def check(self) -> Finding:
        """For `/readyz`: the lease, the last error, the bound's age, a cursor from another cluster."""
        if self._ready is not None and not self._ready.is_set():
            return down("waits for the topics")
        if self._trouble is not None:
            return down(self._trouble)
        facts = {
            "holds_lease": self._lease is not None and self._lease.believed,
            "bound_age_s": round(self._bound_age_s, 1),
        }
        if self._bound_age_s > _BOUND_OLD_S:
            return degraded(
                "a transaction in this PostgreSQL cluster holds the relay back: end the oldest of pg_stat_activity "
                "(by backend_xid) or pg_prepared_xacts",
                **facts,
            )
        if self._seen is not None and self._seen.age_s > _OUTBOX_OLD_S:
            return degraded("events wait to be published", **facts, outbox_age_s=round(self._seen.age_s, 1))
        return Finding(OK.status, "", facts)

    async def _until_ready(self) -> None:
        while not (self._stopping.is_set() or self._ready is None or self._ready.is_set()):
            # Whoever commits meanwhile sets it: waiting on a set event would never give the loop back.
            self._wake.clear()
            await self._wake.wait(_NET_S)

    async def _turn(self) -> None:
        """Hold the lease for as long as all goes well; or wait for it. While Kafka is away it is kept."""
        try:
            if self._lease is None or not self._lease.believed:
                self._lease = await self._take()
            if self._lease is None:
                await self._wake.stand_by(_STAND_BY_S)
                self._recovered()
            else:
                await self._publish(self._lease)
        except LeaseLost as error:
            _log.warning("relay_fenced", reason=str(error))
            self._lease = None
        except (NoAnswer, Unavailable) as error:
            self._report(str(error))
            await self._rest()

    async def _take(self) -> Lease | None:
        async with self._db.connection() as connection:
            if self._seen is None:
                self._note(await outbox.look(connection))
            if self._seen is not None and self._seen.from_another_cluster:
                raise Unavailable(_OTHER_CLUSTER)
            lease = await relay_lease.take(connection, self._settings.replica)
        if lease is not None:
            _log.info("relay_lease_taken", epoch=lease.epoch, txid=lease.cursor.txid)
        return lease

    async def _publish(self, lease: Lease) -> None:
        renewing = asyncio.create_task(self._renew(lease))
        try:
            await self._publisher.start()
            await self._wake.listen()
            while not self._stopping.is_set() and lease.believed:
                await self._round(lease)
        finally:
            renewing.cancel()
            await asyncio.wait({renewing})
            await self._publisher.discard()

    async def _round(self, lease: Lease) -> None:
        """Reads, sends, moves the cursor. The wake-up is cleared before the read: what comes after it is not missed."""
        self._wake.clear()
        async with self._db.connection() as connection:
            found = await outbox.read(connection, lease.cursor)
        if found.rows:
            self._held_back = _soon()
            if not lease.believed or not await self._send(lease, found.rows) or found.is_full:
                return
        self._recovered()
        await self._idle(found.held_back)

    async def _idle(self, held_back: bool) -> None:
        """Waits to be woken. Rows that an older transaction holds back are looked for again soon: its end wakes nobody
        here where it is another service's."""
        if not held_back:
            self._held_back = _soon()
        await self._wake.wait(self._held_back.next_s() if held_back else _NET_S)

    async def _send(self, lease: Lease, rows: list[asyncpg.Record]) -> bool:
        """Whether all of them are acknowledged now. Raises NoAnswer."""
        sent = await self._publisher.send(rows)
        if sent.acknowledged:
            async with self._db.connection() as connection:
                await lease.advance(connection, outbox.place_of(rows[sent.acknowledged - 1]))
        if sent.failure is not None:
            raise NoAnswer(sent.failure)
        self._recovered()
        return sent.acknowledged == len(rows)

    async def _renew(self, lease: Lease) -> None:
        """While a round waits for Kafka the lease is kept; a lost one is found by the next write of the cursor."""
        while True:
            await asyncio.sleep(_RENEW_S)
            try:
                async with self._db.connection(within_s=_RENEW_S) as connection:
                    await lease.renew(connection)
            except (Unavailable, LeaseLost):
                continue

    async def _give_back(self, lease: Lease) -> None:
        with suppress(Unavailable):
            async with self._db.connection(within_s=2) as connection:
                await lease.give_back(connection)

    async def _watch(self) -> None:
        while True:
            with suppress(Unavailable):
                async with self._db.connection(within_s=_LOOK_S) as connection:
                    self._note(await outbox.look(connection))
                if self._lease is not None and self._seen is not None and self._seen.rows:
                    # Whatever woke nobody is found so: a wake-up that was lost on the way from another replica.
                    self._wake.set()
            await asyncio.sleep(_LOOK_S)

    def _note(self, seen: outbox.Look) -> None:
        self._seen = seen
        if seen.xmin >= seen.xmax:
            self._bound = (seen.xmin, None)
        elif seen.xmin != self._bound[0] or self._bound[1] is None:
            self._bound = (seen.xmin, monotonic())
        self._metrics.gauge(catalogue.OUTBOX_ROWS).set(seen.rows)
        self._metrics.gauge(catalogue.OUTBOX_AGE).set(seen.age_s)
        self._metrics.gauge(catalogue.RELAY_XMIN_AGE).set(self._bound_age_s)

    @property
    def _bound_age_s(self) -> float:
        """For how long the same transaction has been the cluster's oldest, in seconds; 0 where none runs."""
        since = self._bound[1]
        return 0.0 if since is None else monotonic() - since

    def _report(self, trouble: str) -> None:
        if self._trouble is None:
            _log.warning("relay_stalled", reason=trouble)
        self._trouble = trouble

    def _recovered(self) -> None:
        if self._trouble is not None:
            _log.info("relay_recovered")
        self._trouble = None
        self._backoff.reset()

    async def _rest(self) -> None:
        """Sleeps the back-off out, unless it is to stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._backoff.next_s()):
                await self._stopping.wait()


def _soon() -> Backoff:
    return Backoff(first_s=0.002, most_s=0.1)
