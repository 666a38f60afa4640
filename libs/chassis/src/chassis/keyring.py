"""The customers' keys: made with the first contact, wrapped by the deployment's key, told by the topic `keys`."""

import asyncio
import base64
import os
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Final

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chassis import ids, store
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.sealing import KEY_BYTES, NONCE_BYTES, AesSealer
from chassis.store import Append, NewEvent
from events.keys import KeyDestroyed, KeyMade

LOOK_AGAIN_S: Final = 0.02
_TOPIC: Final = "keys"
_FIND: Final = "select key_id, nonce, wrapped from customer_keys where key_id = any($1::text[])"
# Finds and makes in one round trip: what is there already is found in the snapshot that is older than what is made.
_FIND_OR_MAKE: Final = """
with made as (
    insert into customer_keys (key_id, nonce, wrapped, made_us)
    select key_id, nonce, wrapped, $4 from unnest($1::text[], $2::bytea[], $3::bytea[]) i(key_id, nonce, wrapped)
    order by key_id
    on conflict (key_id) do nothing
    returning key_id
)
select key_id, nonce, wrapped, false as made from customer_keys where key_id = any($1::text[])
union all select key_id, null, null, true from made
"""
_DESTROY: Final = """
update customer_keys set nonce = null, wrapped = null, destroyed_us = $2
where key_id = $1 and destroyed_us is null returning 1
"""
# The event that told the key holds it too: what is not published yet goes out without it, and what is, the topic's
# compaction removes once KeyDestroyed stands behind it.
_BLANK: Final = "update events set payload = $2 where stream = $1 and type = 'KeyMade'"


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys for one transaction: `sealer` has all that live, `made` are the KeyMade that must be appended with it.

    `destroyed` are ids whose key was destroyed: they have no key any more and never get one again silently.
    """

    sealer: AesSealer
    made: tuple[Append, ...]
    destroyed: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Fresh:
    key: bytes
    nonce: bytes
    wrapped: bytes


class Keyring:
    """The writing side's keys (intake) and every reader's opener, over the table `customer_keys` with a cache.

    Only what was read from the table is cached, never what this transaction makes: were it rolled back, contacts would
    be sealed under a key that nobody has.
    """

    def __init__(
        self, master_key: bytes, *, source: str, clock: Clock, most: int = 100_000, keep_s: float = 60.0
    ) -> None:
        """`master_key`: 32 bytes. At most `most` keys are cached, each for `keep_s`: others may destroy one."""
        self._master = AESGCM(master_key)
        self._source = source
        self._clock = clock
        self._most = most
        self._keep_s = keep_s
        self._cache: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._overdue: OrderedDict[str, float] = OrderedDict()

    async def keys_for(self, tx: asyncpg.Connection, key_ids: Iterable[str]) -> Keys:
        """Keys to seal with; missing ones are made in `tx`, so they exist only if it commits.

        Call it after `store.lock_streams` and before `store.append`, and append `made` in the same transaction.
        """
        now = monotonic()
        found, missing = self._held(set(key_ids), now)
        fresh = {key_id: self._fresh(key_id) for key_id in sorted(missing)}
        rows = await self._find_or_make(tx, fresh)
        made = {row["key_id"] for row in rows if row["made"]}
        there, destroyed = self._read((row for row in rows if not row["made"]), now)
        # Whoever lost to another transaction takes its key: a second statement, whose snapshot shows it.
        theirs, gone = await self._find(tx, missing - made - there.keys() - destroyed)
        keys = found | there | theirs | {key_id: fresh[key_id].key for key_id in made}
        told = tuple(self._told(key_id, fresh[key_id]) for key_id in sorted(made))
        return Keys(AesSealer(keys), told, frozenset(destroyed | gone))

    async def opener(
        self, connection: asyncpg.Connection, key_ids: Iterable[str], *, patience_s: float = 0.0
    ) -> AesSealer:
        """An opener for these ids; the ones without a key (not known, destroyed) open to None.

        An event may overtake its key, which travels by another topic: such a key is waited for, up to `patience_s`, and
        one that does not come is not waited for again for a while.
        """
        wanted = set(key_ids)
        found, destroyed = await self._find(connection, wanted)
        began = monotonic()
        late = {each for each in wanted - found.keys() - destroyed if self._overdue.get(each, 0.0) < began}
        while late and monotonic() - began < patience_s:
            await asyncio.sleep(LOOK_AGAIN_S)
            come, gone = await self._find(connection, late)
            found |= come
            late -= come.keys() | gone
        if patience_s:
            self._give_up(late)
        return AesSealer(found)

    async def read(self, connection: asyncpg.Connection, key_ids: Iterable[str]) -> tuple[AesSealer, frozenset[str]]:
        """An opener for these ids as the table has them now, whatever is cached, and the ids that it does not have."""
        wanted = set(key_ids)
        rows = await connection.fetch(_FIND, list(wanted)) if wanted else []
        found, destroyed = self._read(rows, monotonic())
        self.forget(destroyed)
        return AesSealer(found), frozenset(wanted - {row["key_id"] for row in rows})

    async def sealer(self, connection: asyncpg.Connection, key_id: str, *, patience_s: float = 2.0) -> AesSealer | None:
        """A sealer with this one key, for services that may not make keys; None where it was destroyed.

        Intake makes a customer's key with his first contact, but the key travels by another topic: it is waited for, up
        to `patience_s`. Raises `Unavailable` where it has not come by then. Call it before the transaction that needs
        it: a wait inside would hold locks.
        """
        until = monotonic() + patience_s
        while True:
            found, destroyed = await self._find(connection, {key_id})
            if found:
                return AesSealer(found)
            if destroyed:
                return None
            if monotonic() >= until:
                raise Unavailable("The customer's key has not arrived here yet: retry with the same key.")
            await asyncio.sleep(LOOK_AGAIN_S)

    async def sealers(self, connection: asyncpg.Connection, key_ids: Iterable[str]) -> dict[str, AesSealer | None]:
        """As `sealer`, of many keys and without waiting: what has not come yet is left out."""
        found, destroyed = await self._find(connection, set(key_ids))
        return {key_id: AesSealer({key_id: key}) for key_id, key in found.items()} | dict.fromkeys(destroyed)

    async def destroy(self, db: Database, key_id: str, *, reason: str | None = None, by: str | None = None) -> bool:
        """Destroys a key for ever and says so by KeyDestroyed; False where there is none."""

        async def work(tx: asyncpg.Connection) -> bool:
            await store.lock_streams(tx, [_stream(key_id)])
            now_us = self._clock.now_us()
            if await tx.fetchval(_DESTROY, key_id, now_us) is None:
                return False
            blank = KeyMade(key_id=key_id, algorithm="AES-256-GCM", nonce="", wrapped="")
            await tx.execute(_BLANK, _stream(key_id), _payload(blank))
            event = self._event(
                "KeyDestroyed", key_id, _payload(KeyDestroyed(key_id=key_id, reason=reason, by=by)), now_us
            )
            await store.append(tx, [Append(_stream(key_id), None, (event,))])
            return True

        done = await db.run(work)
        self.forget([key_id])
        return done

    def forget(self, key_ids: Iterable[str]) -> None:
        """Drops keys from the cache."""
        for key_id in key_ids:
            self._cache.pop(key_id, None)

    @property
    def cached(self) -> int:
        """How many keys are cached."""
        return len(self._cache)

    def _give_up(self, late: Iterable[str]) -> None:
        for key_id in late:
            self._overdue[key_id] = monotonic() + self._keep_s
        while len(self._overdue) > self._most:
            self._overdue.popitem(last=False)

    async def _find(self, connection: asyncpg.Connection, key_ids: set[str]) -> tuple[dict[str, bytes], set[str]]:
        """The living keys, and the ids of the destroyed ones."""
        now = monotonic()
        found, missing = self._held(key_ids, now)
        there, destroyed = self._read(await connection.fetch(_FIND, list(missing)) if missing else (), now)
        return found | there, destroyed

    async def _find_or_make(self, tx: asyncpg.Connection, fresh: Mapping[str, _Fresh]) -> list[asyncpg.Record]:
        """The rows that are there, and the ids of those that were inserted because none was (`made`)."""
        if not fresh:
            return []
        nonces, wrapped = [item.nonce for item in fresh.values()], [item.wrapped for item in fresh.values()]
        return await tx.fetch(_FIND_OR_MAKE, list(fresh), nonces, wrapped, self._clock.now_us())

    def _held(self, key_ids: set[str], now: float) -> tuple[dict[str, bytes], set[str]]:
        """The cached keys, and the ids of those that are not cached."""
        found = {key_id: key for key_id in key_ids if (key := self._cached(key_id, now)) is not None}
        return found, key_ids - found.keys()

    def _read(self, rows: Iterable[asyncpg.Record], now: float) -> tuple[dict[str, bytes], set[str]]:
        """The living keys in these rows, which are cached from now on, and the ids of the destroyed ones."""
        found: dict[str, bytes] = {}
        destroyed: set[str] = set()
        for row in rows:
            if row["wrapped"] is None:
                destroyed.add(row["key_id"])
            elif (key := self._unwrapped(row["key_id"], row["nonce"], row["wrapped"])) is not None:
                found[row["key_id"]] = key
                self._remember(row["key_id"], key, now)
        return found, destroyed

    def _fresh(self, key_id: str) -> _Fresh:
        key, nonce = os.urandom(KEY_BYTES), os.urandom(NONCE_BYTES)
        return _Fresh(key, nonce, self._master.encrypt(nonce, key, key_id.encode()))

    def _unwrapped(self, key_id: str, nonce: bytes, wrapped: bytes) -> bytes | None:
        """None where it was wrapped by another master key."""
        try:
            return self._master.decrypt(nonce, wrapped, key_id.encode())
        except (InvalidTag, ValueError):
            return None

    def _told(self, key_id: str, fresh: _Fresh) -> Append:
        nonce, wrapped = base64.b64encode(fresh.nonce).decode(), base64.b64encode(fresh.wrapped).decode()
        fact = KeyMade(key_id=key_id, algorithm="AES-256-GCM", nonce=nonce, wrapped=wrapped)
        return Append(_stream(key_id), 0, (self._event("KeyMade", key_id, _payload(fact), self._clock.now_us()),))

    def _event(self, type_: str, key_id: str, payload: bytes, now_us: int) -> NewEvent:
        return NewEvent(ids.new_id(), type_, payload, now_us, self._source, _TOPIC, key_id)

    def _cached(self, key_id: str, now: float) -> bytes | None:
        key, until = self._cache.get(key_id, (None, 0.0))
        if until < now:
            self._cache.pop(key_id, None)
            return None
        self._cache.move_to_end(key_id)
        return key

    def _remember(self, key_id: str, key: bytes, now: float) -> None:
        self._cache[key_id] = (key, now + self._keep_s)
        while len(self._cache) > self._most:
            self._cache.popitem(last=False)


def _stream(key_id: str) -> str:
    return f"key:{key_id}"


def _payload(fact: KeyMade | KeyDestroyed) -> bytes:
    return fact.model_dump_json(exclude_unset=True, exclude_none=True).encode()
