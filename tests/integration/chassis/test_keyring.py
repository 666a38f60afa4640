"""Keys that exist just if their contact does, that are the same for everybody, and that stay destroyed."""

import asyncio
import os
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from chassis import store
from chassis.clock import SystemClock
from chassis.database import Connection, Database
from chassis.errors import Unavailable
from chassis.key_table import KeyTable
from chassis.keyring import Keyring, Keys
from chassis.records import Record
from chassis.sealing import AesSealer
from events.codec import headers_of
from events.envelope import Envelope
from events.keys import KeyMade

MASTER = os.urandom(32)
AAD = b"event"


def a_keyring(master: bytes = MASTER, *, most: int = 100, keep_s: float = 60.0) -> Keyring:
    return Keyring(master, source="/services/intake", clock=SystemClock(), most=most, keep_s=keep_s)


def getting(keyring: Keyring, *key_ids: str) -> Callable[[Connection], Awaitable[Keys]]:
    """As a contact's transaction does it."""

    async def work(tx: Connection) -> Keys:
        keys = await keyring.keys_for(tx, key_ids)
        await store.append(tx, keys.made)
        return keys

    return work


async def told(db: Database) -> list[Record]:
    """What the relay would put on the topic `keys`, in its order."""
    async with db.connection() as connection:
        rows = await connection.fetch("select *, event_id::text as eid from events where topic = 'keys' order by id")
    return [_record(n, row) for n, row in enumerate(rows)]


def _record(offset: int, row: asyncpg.Record) -> Record:
    at, key = row["occurred_us"], row["key"]
    envelope = Envelope(row["eid"], row["type"], 1, row["source"], key, at, key, row["version"])
    return Record("keys", 0, offset, at, key.encode(), tuple(headers_of(envelope)), row["payload"])


async def test_what_is_sealed_with_a_new_key_is_opened_by_another_process(db: Database) -> None:
    keys = await db.run(getting(a_keyring(), "c-1"))
    nonce, box = keys.sealer.seal("c-1", b"secret", AAD)
    async with db.connection() as connection:
        opener = await a_keyring().opener(connection, ["c-1", "nobody"])
    assert opener.open("c-1", nonce, box, AAD) == b"secret"
    assert opener.open("nobody", nonce, box, AAD) is None
    assert opener.open("c-1", nonce, box, b"another event") is None


async def test_a_key_is_told_once_and_wrapped(db: Database) -> None:
    keyring = a_keyring()
    assert len((await db.run(getting(keyring, "c-1"))).made) == 1
    again = await db.run(getting(keyring, "c-1"))
    assert again.made == ()
    (record,) = await told(db)
    fact = KeyMade.model_validate_json(record.value or b"")
    assert fact.key_id == "c-1"
    async with db.connection() as connection:
        stored = await connection.fetchval("select wrapped from customer_keys")
    assert len(stored) == 32 + 16, "AES-GCM of 32 bytes"


async def test_a_key_that_was_rolled_back_is_used_by_nobody(db: Database) -> None:
    keyring = a_keyring()

    async def fail(tx: Connection) -> None:
        await keyring.keys_for(tx, ["c-1"])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await db.run(fail)
    assert keyring.cached == 0
    assert len((await db.run(getting(keyring, "c-1"))).made) == 1


async def test_of_many_first_contacts_at_once_all_seal_with_one_key(db: Database) -> None:
    outcomes = await asyncio.gather(*(db.run(getting(a_keyring(), "c-1", f"c-{n}")) for n in range(2, 10)))
    assert sum("key:c-1" in [item.stream for item in keys.made] for keys in outcomes) == 1
    nonce, box = outcomes[0].sealer.seal("c-1", b"secret", AAD)
    assert {keys.sealer.open("c-1", nonce, box, AAD) for keys in outcomes} == {b"secret"}


async def test_a_destroyed_key_opens_nothing_and_is_not_made_again(db: Database) -> None:
    keyring = a_keyring()
    keys = await db.run(getting(keyring, "c-1"))
    nonce, box = keys.sealer.seal("c-1", b"secret", AAD)
    assert await keyring.destroy(db, "c-1", reason="asked for")
    assert not await keyring.destroy(db, "c-1")
    again = await db.run(getting(keyring, "c-1", "c-2"))
    assert again.destroyed == {"c-1"}
    assert [item.stream for item in again.made] == ["key:c-2"]
    async with db.connection() as connection:
        assert (await keyring.opener(connection, ["c-1"])).open("c-1", nonce, box, AAD) is None


async def test_a_destroyed_key_stands_in_no_table_any_more(db: Database) -> None:
    keyring = a_keyring()
    await db.run(getting(keyring, "c-1"))
    async with db.connection() as connection:
        wrapped = await connection.fetchval("select wrapped from customer_keys")
    await keyring.destroy(db, "c-1")
    made, destroyed = await told(db)
    assert KeyMade.model_validate_json(made.value or b"").wrapped == ""
    assert destroyed.key == b"c-1"
    async with db.connection() as connection:
        assert await connection.fetchval("select count(*) from customer_keys where wrapped = $1", wrapped) == 0


async def test_the_cache_holds_no_more_than_it_may_and_forgets(db: Database) -> None:
    keyring = a_keyring(most=2)
    names = ["c-1", "c-2", "c-3"]
    await db.run(getting(keyring, *names))
    async with db.connection() as connection:
        await keyring.opener(connection, names)
    assert keyring.cached == 2
    keyring.forget(names)
    assert keyring.cached == 0


async def test_a_cached_key_is_looked_up_again_after_its_time(db: Database) -> None:
    keyring, other = a_keyring(keep_s=0.0), a_keyring()
    keys = await db.run(getting(keyring, "c-1"))
    async with db.connection() as connection:
        await keyring.opener(connection, ["c-1"])
        await other.destroy(db, "c-1")
        opener = await keyring.opener(connection, ["c-1"])
    assert opener.open("c-1", *keys.sealer.seal("c-1", b"secret", AAD), AAD) is None


async def test_a_key_of_another_master_key_opens_nothing(db: Database) -> None:
    keys = await db.run(getting(a_keyring(), "c-1"))
    async with db.connection() as connection:
        opener = await a_keyring(os.urandom(32)).opener(connection, ["c-1"])
    assert opener.open("c-1", *keys.sealer.seal("c-1", b"secret", AAD), AAD) is None


async def take_over(db: Database, keyring: Keyring, records: list[Record]) -> None:
    after = await db.run(lambda tx: KeyTable(keyring).handle(tx, records))
    assert after is not None
    after()


async def empty_table(db: Database) -> None:
    """As at a reading service, which has its own."""
    async with db.connection() as connection:
        await connection.execute("truncate customer_keys")


async def test_a_reader_opens_with_what_the_topic_told_it(db: Database) -> None:
    keys = await db.run(getting(a_keyring(), "c-1"))
    await empty_table(db)
    reader = a_keyring()
    await take_over(db, reader, await told(db))
    async with db.connection() as connection:
        opener = await reader.opener(connection, ["c-1"])
    assert opener.open("c-1", *keys.sealer.seal("c-1", b"secret", AAD), AAD) == b"secret"


async def test_a_reader_waits_for_a_key_that_comes_after_its_event_but_not_for_ever(db: Database) -> None:
    keys = await db.run(getting(a_keyring(), "c-1"))
    await empty_table(db)
    reader = a_keyring()

    async def opened(patience_s: float) -> bytes | None:
        async with db.connection() as connection:
            opener = await reader.opener(connection, ["c-1"], patience_s=patience_s)
        return opener.open("c-1", *keys.sealer.seal("c-1", b"secret", AAD), AAD)

    assert await opened(0) is None
    waiting = asyncio.create_task(opened(4))
    await take_over(db, reader, await told(db))
    assert await waiting == b"secret"
    reader.forget(["c-1"])
    await empty_table(db)
    assert await opened(0.1) is None
    async with asyncio.timeout(2):
        assert await opened(60) is None


async def sealer_of(db: Database, keyring: Keyring, patience_s: float) -> AesSealer | None:
    async with db.connection() as connection:
        return await keyring.sealer(connection, "c-1", patience_s=patience_s)


async def test_who_may_make_no_keys_seals_under_one_that_he_waits_for(db: Database) -> None:
    writer, reader = a_keyring(), a_keyring()
    keys = await db.run(getting(writer, "c-1"))
    records = await told(db)
    await empty_table(db)
    waiting = asyncio.create_task(sealer_of(db, reader, 4))
    await take_over(db, reader, records)
    sealer = await waiting
    assert sealer is not None
    assert keys.sealer.open("c-1", *sealer.seal("c-1", b"a note", AAD), AAD) == b"a note"


async def test_a_key_that_does_not_arrive_is_unavailable_and_makes_none(db: Database) -> None:
    with pytest.raises(Unavailable, match="same key"):
        await sealer_of(db, a_keyring(), 0.05)
    assert await told(db) == []


async def test_under_a_destroyed_key_there_is_nothing_to_seal_with(db: Database) -> None:
    keyring = a_keyring()
    await db.run(getting(keyring, "c-1"))
    await keyring.destroy(db, "c-1")
    assert await sealer_of(db, keyring, 60) is None


@pytest.mark.parametrize("order", [1, -1])
async def test_a_reader_keeps_a_destroyed_key_destroyed_in_whatever_order_it_hears(db: Database, order: int) -> None:
    writer = a_keyring()
    keys = await db.run(getting(writer, "c-1"))
    (made,) = await told(db)
    await writer.destroy(db, "c-1")
    destroyed = (await told(db))[1]
    await empty_table(db)
    reader = a_keyring()
    for record in (made, destroyed)[::order]:
        await take_over(db, reader, [record])
    async with db.connection() as connection:
        opener = await reader.opener(connection, ["c-1"])
    assert opener.open("c-1", *keys.sealer.seal("c-1", b"secret", AAD), AAD) is None


async def test_a_record_that_is_no_key_is_passed_over(db: Database) -> None:
    broken = Record("keys", 0, 0, 0, b"c-1", [("ce_type", b"throughline.KeyMade.v1")], b"{}")
    unknown = Record("keys", 0, 1, 0, b"c-1", [("ce_type", b"throughline.KeyPainted.v1")], b"{}")
    bare = Record("keys", 0, 2, 0, None, [], None)
    await take_over(db, a_keyring(), [broken, unknown, bare])
