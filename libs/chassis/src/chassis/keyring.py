"""The customers' keys: made with the first contact, wrapped by the deployment's key, told by the topic `keys`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import asyncpg

from chassis.clock import Clock
from chassis.consumer import AfterCommit
from chassis.database import Database
from chassis.records import Record
from chassis.sealing import AesSealer
from chassis.store import Append


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys for one transaction: `sealer` has all that live, `made` are the KeyMade that must be appended with it.

    `destroyed` are ids whose key was destroyed: they have no key any more and never get one again silently.
    """

    sealer: AesSealer
    made: tuple[Append, ...]
    destroyed: frozenset[str]


class Keyring:
    """The writing side's keys (intake) and every reader's opener, over the table `customer_keys` with a cache."""

    def __init__(self, master_key: bytes, *, source: str, clock: Clock, most: int = 100_000, keep_s: float = 60.0) -> None:
        """`master_key` has 32 bytes; at most `most` keys are cached, each for `keep_s` (another replica may destroy one)."""
        raise NotImplementedError

    async def keys_for(self, tx: asyncpg.Connection, key_ids: Iterable[str]) -> Keys:
        """Keys to seal with; missing ones are made in `tx`, so they exist only if it commits.

        Call it after `store.lock_streams` and before `store.append`, and append `made` in the same transaction.
        """
        raise NotImplementedError

    async def opener(self, connection: asyncpg.Connection, key_ids: Iterable[str]) -> AesSealer:
        """An opener for these ids; the ones without a key (not known yet, destroyed) open to None."""
        raise NotImplementedError

    async def destroy(self, db: Database, key_id: str) -> bool:
        """Destroys a key for ever and says so by KeyDestroyed; False where there is none."""
        raise NotImplementedError

    def forget(self, key_ids: Iterable[str]) -> None:
        """Drops keys from the cache."""
        raise NotImplementedError

    @property
    def sizes(self) -> Mapping[str, int]:
        """How many keys are cached, for logs."""
        raise NotImplementedError


class KeyTable:
    """A batch handler for the topic `keys`: fills the reading side's table and drops destroyed keys from the cache."""

    def __init__(self, keyring: Keyring) -> None:
        raise NotImplementedError

    async def handle(self, tx: asyncpg.Connection, records: list[Record]) -> AfterCommit | None:
        """Takes KeyMade and KeyDestroyed over; a destroyed key stays destroyed whatever comes later."""
        raise NotImplementedError

    def lost(self, partitions: Iterable[tuple[str, int]]) -> None:
        """Nothing is kept per partition."""
