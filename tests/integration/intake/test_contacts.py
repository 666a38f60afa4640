"""`POST /v1/contacts` on a real database: what is answered is committed, sealed and under the right request."""

from __future__ import annotations

import json
import time
import uuid

from events.times import to_us
from tests.support.intake import Caller, Intakes, contact
from tests.support.serving import Json


async def test_a_contact_is_committed_when_it_is_answered(service: Intakes, intake: Caller) -> None:
    answer = await intake.contact()
    got = answer.json()
    assert (answer.status_code, set(got)) == (202, {"request_id", "event_id", "received_at", "duplicate"})
    assert answer.headers["location"] == f"/v1/requests/{got['request_id']}/timeline"
    (row,) = await service.named("select * from events where topic = 'contacts'")
    assert (str(row["event_id"]), row["type"], row["version"]) == (got["event_id"], "ContactReceived", 1)
    assert (row["stream"], row["key"], row["source"]) == (got["request_id"], got["request_id"], "/services/intake")
    assert row["occurred_us"] == to_us(got["received_at"])


async def test_the_time_is_intakes_own_and_the_gateways_is_kept_as_sent(service: Intakes, intake: Caller) -> None:
    before = time.time_ns() // 1_000
    got = (await intake.contact(occurred_at="2001-01-01T02:00:00+02:00")).json()
    assert before <= to_us(got["received_at"]) <= time.time_ns() // 1_000
    payload = json.loads(await service.value("select payload from events where topic = 'contacts'"))
    assert payload["occurred_at"] == "2001-01-01T02:00:00+02:00"


async def test_nothing_personal_is_kept_in_the_clear(service: Intakes, intake: Caller) -> None:
    secret = f"secret-{uuid.uuid4().hex}"
    who: Json = {"name": secret, "email": f"{secret}@example.com", "handle": secret}
    said: Json = {"subject": secret, "body": secret, "attributes": {"a": secret}, "session": [{"action": secret}]}
    assert (await intake.contact(customer=who, key="k", **said)).status_code == 202
    for table in await service.named("select tablename from pg_tables where schemaname = 'public'"):
        rows = await service.named(f"select row_to_json(t)::text from (select * from {table['tablename']}) t")
        shown = "".join(row[0] for row in rows)
        assert secret not in shown
        assert secret.encode().hex() not in shown


async def test_a_customers_key_is_made_with_his_first_contact_alone(service: Intakes, intake: Caller) -> None:
    for _ in range(3):
        await intake.contact(customer={"id": "c-9"})
    rows = await service.named("select stream, version, topic, key from events where type = 'KeyMade'")
    assert [tuple(row) for row in rows] == [("key:c-9", 1, "keys", "c-9")]


async def test_a_first_contact_that_says_nothing_personal_makes_the_key_too(service: Intakes, intake: Caller) -> None:
    """Others seal under it later what the agent notes, and may make none themselves."""
    got = await intake.http.post("/v1/contacts", json={"channel": "voice", "customer": {"id": "c-9"}})
    payload = await service.value("select payload from events where stream = $1", got.json()["request_id"])
    assert "sealed" not in json.loads(payload)
    rows = await service.named("select stream, topic from events order by id")
    assert [row["stream"] for row in rows] == ["key:c-9", got.json()["request_id"]]


async def customer_ids(service: Intakes) -> list[str]:
    rows = await service.named("select payload from events where type = 'ContactReceived' order by txid, id")
    return [json.loads(row["payload"])["customer_id"] for row in rows]


async def test_a_customer_is_known_again_by_any_of_his_identifiers(service: Intakes, intake: Caller) -> None:
    await intake.contact(customer={"id": "c-7", "email": "Ada@Example.com", "phone": "+49 30 1234567"})
    await intake.contact(customer={"email": "ada@example.com"})
    await intake.contact(customer={"phone": "+49301234567", "handle": "ada"})
    await intake.contact(customer={"handle": "ada"})
    assert await customer_ids(service) == ["c-7"] * 4


async def test_an_unknown_customers_id_can_be_derived_from_his_identifier(service: Intakes, intake: Caller) -> None:
    await intake.contact(customer={"email": "ada@example.com"})
    assert await customer_ids(service) == ["fcc96340-99d8-5acb-921f-ed183595b485"]


async def test_a_contact_that_continues_a_request_joins_it_on_any_channel(service: Intakes, intake: Caller) -> None:
    first = (await intake.contact()).json()
    answer = await intake.contact(channel="chat", continues=first["request_id"], body="me again")
    got = answer.json()
    assert (answer.status_code, got["request_id"], got["continued"]) == (202, first["request_id"], True)
    assert got["received_at"] > first["received_at"]
    rows = await service.named("select type, version from events where stream = $1 order by version", got["request_id"])
    assert [tuple(row) for row in rows] == [("ContactReceived", 1), ("MessageReceived", 2)]


async def test_a_follow_up_is_sealed_under_its_requests_customer(service: Intakes, intake: Caller) -> None:
    first = (await intake.contact(customer={"id": "c-7"})).json()
    await intake.contact(customer={"id": "c-8"}, continues=first["request_id"], body="me again")
    payload = json.loads(await service.value("select payload from events where type = 'MessageReceived'"))
    assert (payload["customer_id"], payload["sealed"]["key_id"]) == ("c-7", "c-7")


async def test_a_thread_is_one_request_on_its_channel(intake: Caller) -> None:
    first = (await intake.contact(thread="t-1")).json()
    second = (await intake.contact(thread="t-1")).json()
    other = (await intake.contact(channel="chat", thread="t-1")).json()
    assert (second["request_id"], second.get("continued")) == (first["request_id"], True)
    assert other["request_id"] != first["request_id"]


async def test_a_request_that_there_is_not_cannot_be_continued(service: Intakes, intake: Caller) -> None:
    for unknown in (str(uuid.uuid4()), "call-1"):
        answer = await intake.contact(continues=unknown)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert await service.value("select count(*) from events") == 0


async def test_an_erased_customers_next_contact_is_sealed_under_its_own_request(
    service: Intakes, intake: Caller
) -> None:
    await intake.contact(customer={"id": "c-9"}, body="before")
    await service.named(
        "update customer_keys set nonce = null, wrapped = null, destroyed_us = 1 where key_id = 'c-9' returning 1"
    )
    another = await service.local()  # the first one still has the key in its cache
    got = (await another.contact(customer={"id": "c-9"}, body="after")).json()
    payload = json.loads(await service.value("select payload from events where stream = $1", got["request_id"]))
    assert payload["sealed"]["key_id"] == f"request:{got['request_id']}"


async def test_a_customer_id_of_any_length_is_taken(intake: Caller) -> None:
    for customer_id in ("x" * 100_000, "request:1", "ü" * 5_000):
        assert (await intake.contact(customer={"id": customer_id}, body="hello")).status_code == 202


async def test_the_traceparent_travels_on_with_the_event(service: Intakes, intake: Caller) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await intake.http.post("/v1/contacts", json=contact(), headers={"traceparent": trace})
    kept = await service.value("select traceparent from events where topic = 'contacts'")
    assert kept.split("-")[1] == trace.split("-")[1]
