"""Suggestions under the covers: what customers said is opened, looked up, and told on the request's own stream."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from chassis.alarm import Alarm
from chassis.clock import Clock
from chassis.database import Connection, Database
from chassis.errors import Transient
from chassis.facts import event_of
from chassis.ids import new_id
from chassis.keyed import committed
from chassis.metrics import Metrics
from chassis.store import Append, Appended, append, lock_streams
from events.codec import SEALED, Unreadable, decode, unseal, without_personal
from kb_search.app.commands import SOURCE
from kb_search.app.ports import Freshness, Gaps, Keys, Renewed, Requests, Spoken, Vault, Waiting
from kb_search.app.searching import Lookup, Searching
from kb_search.domain.gaps import asked_in_contact
from kb_search.domain.suggestions import Said, passages_of, shown
from kb_search.metrics import LOOKUPS_LATE, LOOKUPS_TOTAL, SUGGESTION_DELAY

GRACE_US: Final = 1_500_000
"""For so long a request's words are left to the replica that heard them."""

STALE_US: Final = 86_400_000_000
"""What was said longer ago is not looked up any more: a first start on an old log must not tell of all its past."""

_MOST: Final = 50
_NET_S: Final = 1.0
_SOONEST_US: Final = 30_000
_LATEST_US: Final = 30_000_000
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Outcome:
    renewed: Renewed
    lookup: Lookup | None
    fact: Any
    name: str


class LookingUp:
    """Takes up the requests that wait. What it does is decided by the rows: it may die at any moment, and so may others
    do the same at once; the one who commits first under the request's lock has done it."""

    def __init__(
        self,
        db: Database,
        requests: Requests,
        vault: Vault,
        searching: Searching,
        freshness: Freshness,
        gaps: Gaps,
        clock: Clock,
        metrics: Metrics,
        published: Callable[[], None],
    ) -> None:
        self._db = db
        self._requests = requests
        self._vault = vault
        self._searching = searching
        self._freshness = freshness
        self._gaps = gaps
        self._clock = clock
        self._metrics = metrics
        self._published = published
        self._heard: set[str] = set()
        self._alarm = Alarm(self._turn, net_s=_NET_S, name="lookups")
        self._counted = metrics.counter(LOOKUPS_TOTAL)
        self._late = metrics.counter(LOOKUPS_LATE)
        self._delay = metrics.histogram(SUGGESTION_DELAY)

    async def run(self) -> None:
        """Until `stop()`."""
        await self._alarm.run()

    def stop(self) -> None:
        """Ask `run` to end, after the look-ups at hand."""
        self._alarm.stop()

    def heard(self, request_id: str) -> None:
        """This replica has just committed that the request waits."""
        self._heard.add(request_id)
        self._alarm.wake()

    async def _turn(self) -> float | None:
        """Looks up all that is due; in how many seconds more will be."""
        if not self._freshness.is_whole:
            return 0.05
        fresh, self._heard = self._heard, set()
        now_us = self._clock.now_us()
        async with self._db.connection() as connection:
            if not fresh and ((rest_s := await self._rest_s(connection)) is None or rest_s > 0):
                return rest_s
            waiting = await self._requests.waiting(connection, ids=fresh, due_us=now_us, most=_MOST)
            if not waiting:
                return await self._rest_s(connection)
            keys = await self._vault.keys(connection, _key_ids(waiting))
            await self._put_off(connection, [each for each in waiting if _is_late(each, keys, now_us)], now_us)
        self._heard |= fresh - {each.request_id for each in waiting} if len(waiting) == _MOST else set()
        await self._look_up([each for each in waiting if not _is_late(each, keys, now_us)], keys)
        if self._heard or len(waiting) == _MOST:
            return 0.0
        async with self._db.connection() as connection:
            return await self._rest_s(connection)

    async def _rest_s(self, connection: Connection) -> float | None:
        due_us = await self._requests.next_due(connection)
        return None if due_us is None else (due_us - self._clock.now_us()) / 1e6

    async def _look_up(self, waiting: Sequence[Waiting], keys: Keys) -> None:
        outcomes = []
        for each in waiting:
            outcomes.append(self._safely(each, keys))
            # Each takes a millisecond or two of this thread: others' requests go on in between.
            await asyncio.sleep(0)
        if outcomes:
            await self._keep(outcomes)

    def _safely(self, waiting: Waiting, keys: Keys) -> _Outcome:
        try:
            return self._outcome(waiting, keys)
        except Transient:
            raise
        # Whatever one customer's words do to the index, it must not keep the others' from being looked up.
        except Exception as error:  # noqa: BLE001
            _log.error("lookup_failed", request_id=waiting.request_id, error=type(error).__name__)
            return _Outcome(Renewed(waiting, (), None, is_broken=True), None, None, "failed")

    def _outcome(self, waiting: Waiting, keys: Keys) -> _Outcome:
        said = [Said(each.event_id, _opened(each, keys)) for each in waiting.said]
        passages = passages_of(said)
        if not passages:
            return _Outcome(Renewed(waiting, (), None), None, None, "silent")
        lookup = self._searching.look_up(passages, waiting.matter)
        fact = shown(waiting.listed, lookup.found, found_for=waiting.asked)
        event_id = None if fact is None else new_id()
        name = "nothing" if not lookup.found else "same" if fact is None else "shown"
        return _Outcome(Renewed(waiting, lookup.found, event_id), lookup, fact, name)

    async def _keep(self, outcomes: Sequence[_Outcome]) -> None:
        by_id = {each.renewed.waiting.request_id: each for each in outcomes}

        async def work(tx: Connection) -> tuple[Appended, set[str]]:
            await lock_streams(tx, by_id)
            still = await self._requests.take(tx, [each.renewed.waiting for each in outcomes])
            mine = [by_id[request_id] for request_id in sorted(still)]
            now_us = self._clock.now_us()
            appended = await append(tx, [_stated(each, now_us) for each in mine if each.fact is not None])
            await self._requests.renew(tx, [each.renewed for each in mine])
            await self._gaps.count(tx, "contacts", _missed(mine), now_us=now_us)
            return appended, still

        appended, done = await committed(self._db, work)
        appended.count(self._metrics)
        if appended.versions:
            self._published()
        self._count([by_id[request_id] for request_id in done])

    def _count(self, done: Iterable[_Outcome]) -> None:
        now_us = self._clock.now_us()
        for each in done:
            self._counted.labels(each.name).inc()
            if each.name == "shown":
                self._delay.observe(max(0, now_us - each.renewed.waiting.received_us) / 1e6)

    async def _put_off(self, connection: Connection, late: Sequence[Waiting], now_us: int) -> None:
        """The key travels by another topic: looked for again soon at first, then ever more rarely."""
        if late:
            waits = [max(_SOONEST_US, min(_LATEST_US, (now_us - each.received_us) // 2)) for each in late]
            await self._requests.put_off(connection, late, due_us=[now_us + wait for wait in waits])
            self._late.inc(len(late))


def _key_ids(waiting: Iterable[Waiting]) -> set[str]:
    found = (_key_id(spoken) for each in waiting for spoken in each.said)
    return {key_id for key_id in found if key_id is not None}


def _key_id(spoken: Spoken) -> str | None:
    sealed = decode(spoken.type, spoken.version, spoken.payload).get(SEALED)
    key_id = sealed.get("key_id") if isinstance(sealed, Mapping) else None
    return key_id if isinstance(key_id, str) else None


def _is_late(waiting: Waiting, keys: Keys, now_us: int) -> bool:
    """Whether a key is missing that may still come; after a day what it seals counts as silence."""
    if now_us - waiting.received_us > STALE_US:
        return False
    return any(_key_id(spoken) in keys.late for spoken in waiting.said)


def _opened(spoken: Spoken, keys: Keys) -> Mapping[str, Any]:
    data = decode(spoken.type, spoken.version, spoken.payload)
    try:
        return unseal(spoken.type, data, spoken.event_id, keys.opener)
    except Unreadable:
        # A box that opens to something else than data says nothing; the event itself could be read.
        return without_personal(data)


def _stated(outcome: _Outcome, now_us: int) -> Append:
    """Later than all that is known of the request (law 6), its cause among it."""
    waiting, event_id = outcome.renewed.waiting, outcome.renewed.event_id
    assert event_id is not None
    occurred_us = max(now_us, waiting.last_us + 1)
    event = event_of(
        outcome.fact,
        event_id=event_id,
        source=SOURCE,
        key=waiting.request_id,
        occurred_us=occurred_us,
        clock_us=now_us if occurred_us != now_us else None,
        causation_id=waiting.asked,
    )
    return Append(waiting.request_id, None, (event,))


def _missed(outcomes: Iterable[_Outcome]) -> Counter[str]:
    missed: Counter[str] = Counter()
    for each in outcomes:
        if each.lookup is not None and not each.lookup.found:
            missed.update(asked_in_contact(each.lookup.weights, each.lookup.frequencies))
    return missed
