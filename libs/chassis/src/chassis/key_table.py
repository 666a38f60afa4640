"""The readers' side of the topic `keys`: the table that openers look keys up in."""

import base64
from collections.abc import Callable, Iterable
from typing import Final

import asyncpg
import structlog
from pydantic import ValidationError

from chassis.keyring import Keyring
from chassis.records import Record
from events.keys import KeyDestroyed, KeyMade

_TYPES: Final[dict[bytes, type[KeyMade] | type[KeyDestroyed]]] = {
    b"throughline.KeyMade.v1": KeyMade,
    b"throughline.KeyDestroyed.v1": KeyDestroyed,
}
_MADE: Final = """
insert into customer_keys (key_id, nonce, wrapped, made_us)
select key_id, nonce, wrapped, made_us from unnest($1::text[], $2::bytea[], $3::bytea[], $4::bigint[])
    i(key_id, nonce, wrapped, made_us)
order by key_id
on conflict (key_id) do nothing
"""
_DESTROYED: Final = """
insert into customer_keys (key_id, made_us, destroyed_us)
select key_id, at, at from unnest($1::text[], $2::bigint[]) i(key_id, at) order by key_id
on conflict (key_id) do update set nonce = null, wrapped = null, destroyed_us = excluded.destroyed_us
where customer_keys.destroyed_us is null
"""
_log = structlog.get_logger(__name__)


class KeyTable:
    """A batch handler for the topic `keys`. A record that is no key is logged and passed over: it opens nothing."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def handle(self, tx: asyncpg.Connection, records: list[Record]) -> Callable[[], None] | None:
        """Takes KeyMade and KeyDestroyed over; a destroyed key stays destroyed whatever comes later."""
        made: dict[str, tuple[KeyMade, int]] = {}
        destroyed: dict[str, int] = {}
        for record in records:
            fact = _fact(record)
            if isinstance(fact, KeyMade):
                made.setdefault(fact.key_id, (fact, record.timestamp_us))
            elif isinstance(fact, KeyDestroyed):
                destroyed.setdefault(fact.key_id, record.timestamp_us)
        await _write(tx, made, destroyed)
        return lambda: self._keyring.forget(destroyed)

    def lost(self, partitions: Iterable[tuple[str, int]]) -> None:
        """Nothing is kept per partition."""


async def _write(tx: asyncpg.Connection, made: dict[str, tuple[KeyMade, int]], destroyed: dict[str, int]) -> None:
    if made:
        facts = [fact for fact, _ in made.values()]
        await tx.execute(
            _MADE,
            list(made),
            [base64.b64decode(fact.nonce) for fact in facts],
            [base64.b64decode(fact.wrapped) for fact in facts],
            [at for _, at in made.values()],
        )
    if destroyed:
        await tx.execute(_DESTROYED, list(destroyed), list(destroyed.values()))


def _fact(record: Record) -> KeyMade | KeyDestroyed | None:
    model = _TYPES.get(dict(record.headers).get("ce_type") or b"")
    if model is None or record.value is None:
        return None
    try:
        return model.model_validate_json(record.value)
    except ValidationError:
        _log.warning("key_record_unreadable", partition=record.partition, offset=record.offset)
        return None
