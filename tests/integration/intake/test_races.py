"""Follow-ups of one thread racing over two replicas: one request, and an event for every key."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import uuid4

from chassis import idempotency, store
from chassis.database import Database
from chassis.idempotency import Claim
from chassis.store import Append, NewEvent
from tests.support.intake import Intakes, contact

EVENTS = "select count(*) from events where topic = 'contacts'"
KEYS = "select count(*) from idempotency_keys"


async def test_a_new_threads_contacts_race_over_two_replicas_and_each_key_has_its_event(service: Intakes) -> None:
    replicas = [await service.local(), await service.local()]
    for turn in range(10):
        calls = [
            replicas[n % 2].contact(contact(thread=f"t-{turn}", customer={"id": f"c-{n}"}), key=f"k-{turn}-{n}")
            for n in range(16)
        ]
        answers = await asyncio.gather(*calls)
        assert {answer.status_code for answer in answers} == {202}
        got = [answer.json() for answer in answers]
        assert len({one["request_id"] for one in got}) == 1
        assert Counter(one.get("continued", False) for one in got) == {True: 15, False: 1}
        rows = await service.named(
            "select type, version, occurred_us from events where stream = $1 order by version", got[0]["request_id"]
        )
        assert [row["type"] for row in rows] == ["ContactReceived", *["MessageReceived"] * 15]
        assert [row["version"] for row in rows] == list(range(1, 17))
        times = [row["occurred_us"] for row in rows]
        assert times == sorted(set(times))
    assert await service.value(EVENTS) == await service.value(KEYS) == 160


async def test_follow_ups_to_one_request_race_over_two_replicas(service: Intakes) -> None:
    replicas = [await service.local(), await service.local()]
    request_id = (await replicas[0].contact()).json()["request_id"]
    path = f"/v1/requests/{request_id}/messages"
    calls = [
        replicas[n % 2].http.post(path, json={"channel": "sms"}, headers={"idempotency-key": f"k-{n}"})
        for n in range(60)
    ]
    assert {answer.status_code for answer in await asyncio.gather(*calls)} == {202}
    rows = await service.named("select version, txid from events where stream = $1 order by version", request_id)
    assert [row["version"] for row in rows] == list(range(1, 62))
    assert [row["txid"] for row in rows] == sorted(row["txid"] for row in rows)
    assert await service.value(KEYS) == 60


async def test_the_naive_order_leaves_a_key_without_an_event(service: Intakes) -> None:
    """The control arm: the key first, then an append with the version read before, whose loss nobody minds."""
    await service.local()
    db = Database(service.dsn, name="naive")
    await db.open()
    request_id = str(uuid4())

    def message() -> NewEvent:
        return NewEvent(str(uuid4()), "MessageReceived", b"{}", 1_000, "/services/intake", "contacts", request_id)

    async def follow_up(key: str) -> None:
        async with db.connection() as connection:
            version = (await store.versions(connection, [request_id]))[request_id]
        async with db.transaction() as tx:
            await idempotency.claim(tx, [Claim("POST", key, b"hash", b"answer")], now_us=1)
            await store.append(tx, [Append(request_id, version, (message(),))])

    async with db.transaction() as tx:
        await store.append(tx, [Append(request_id, 0, (message(),))])
    while await service.value(EVENTS) == 1 + await service.value(KEYS):
        await asyncio.gather(*(follow_up(str(uuid4())) for _ in range(8)))
    assert await service.value(EVENTS) < 1 + await service.value(KEYS)
    await db.close()


async def test_new_identities_learned_at_once_do_not_deadlock(service: Intakes) -> None:
    replicas = [await service.local(), await service.local()]
    for turn in range(10):
        people = [{"email": f"p{turn}.{n}@example.com", "phone": f"+49301234{turn}{n:02d}"} for n in range(12)]
        orders = (people, people[::-1])
        calls = [
            replica.contact(contact(customer=who), key=f"{turn}-{at}-{n}")
            for at, replica in enumerate(replicas)
            for n, who in enumerate(orders[at])
        ]
        assert {answer.status_code for answer in await asyncio.gather(*calls)} == {202}
    several = "select count(*) from (select 1 from requests group by customer_id having count(*) <> 2) odd"
    assert await service.value(several) == 0
