"""One key makes one request, however often, wherever and with whatever body it is used."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from tests.support.intake import Caller, Intakes, contact, lines_of, ndjson
from tests.support.until import until

IDS = ("request_id", "event_id", "received_at")


async def requests_made(service: Intakes) -> int:
    return int(await service.value("select count(*) from events where type = 'ContactReceived'"))


async def test_the_same_key_and_body_again_gets_the_first_answer(service: Intakes, intake: Caller) -> None:
    first, again = await intake.contact(key="k"), await intake.contact(key="k")
    assert (first.status_code, again.status_code) == (202, 202)
    assert [again.json()[name] for name in IDS] == [first.json()[name] for name in IDS]
    assert (first.json()["duplicate"], again.json()["duplicate"]) == (False, True)
    assert again.headers["location"] == first.headers["location"]
    assert await requests_made(service) == 1


async def test_the_members_count_and_not_their_spelling(intake: Caller) -> None:
    headers = {"idempotency-key": "k"}
    first = b'{"channel":"chat","customer":{"id":"c-1"},"severity":3}'
    other = b'{ "severity": 3,  "customer": {"id": "c-\\u0031"}, "channel": "chat" }'
    answers = [await intake.http.post("/v1/contacts", content=body, headers=headers) for body in (first, other)]
    assert [answer.json()["duplicate"] for answer in answers] == [False, True]


async def test_the_same_key_with_another_body_is_refused(service: Intakes, intake: Caller) -> None:
    await intake.contact(key="k")
    for other in (contact(subject="other"), contact(severity=3), contact(attributes={"n": 2**70})):
        answer = await intake.contact(other, key="k")
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/key-reused")
    assert await requests_made(service) == 1


async def test_large_integers_are_told_apart(intake: Caller) -> None:
    first = await intake.contact(attributes={"n": 2**64}, key="k")
    other = await intake.contact(attributes={"n": 2**64 + 1}, key="k")
    assert (first.status_code, other.status_code) == (202, 422)


async def test_without_a_key_each_post_is_a_contact(service: Intakes, intake: Caller) -> None:
    for _ in range(2):
        await intake.contact()
    assert await requests_made(service) == 2


async def test_a_refused_contacts_key_is_not_remembered(intake: Caller) -> None:
    refused = await intake.contact(continues="call-1", key="k")
    taken = await intake.contact(key="k")
    assert (refused.status_code, taken.status_code, taken.json()["duplicate"]) == (404, 202, False)


@pytest.mark.parametrize("key", ["k" * 256, "", "a\x00b", "ü" * 256])
async def test_a_key_that_cannot_be_kept_is_refused(intake: Caller, key: str) -> None:
    answer = await intake.http.post("/v1/contacts", json=contact(), headers={b"idempotency-key": key.encode()})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


async def test_a_key_of_255_characters_is_taken(intake: Caller) -> None:
    answer = await intake.http.post("/v1/contacts", json=contact(), headers={b"idempotency-key": ("ü" * 255).encode()})
    assert answer.status_code == 202


async def test_two_keys_at_once_are_refused(intake: Caller) -> None:
    headers = [("idempotency-key", "a"), ("idempotency-key", "b")]
    answer = await intake.http.post("/v1/contacts", json=contact(), headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


async def test_a_key_counts_per_path(service: Intakes, intake: Caller) -> None:
    first = await intake.contact(key="k")
    messages = f"/v1/requests/{first.json()['request_id']}/messages"
    followed = await intake.http.post(messages, json={"channel": "sms"}, headers={"idempotency-key": "k"})
    batch = await intake.http.post("/v1/contacts:batch", content=ndjson([contact() | {"idempotency_key": "k"}]))
    assert (followed.status_code, followed.json()["duplicate"]) == (202, False)
    assert [line["duplicate"] for line in lines_of(batch)] == [False]
    assert await requests_made(service) == 2


async def test_fifty_uses_of_one_key_with_two_bodies_over_two_replicas_make_one_request(service: Intakes) -> None:
    replicas = [await service.local(), await service.local()]
    bodies = [contact(subject="one"), contact(subject="two")]
    answers = await asyncio.gather(
        *(replicas[n % 2].contact(bodies[n // 2 % 2], key="k") for n in range(50)), return_exceptions=False
    )
    statuses = Counter(answer.status_code for answer in answers)
    won = [answer.json() for answer in answers if answer.status_code == 202]
    assert set(statuses) <= {202, 409, 422}, statuses
    assert len({got["request_id"] for got in won}) == 1
    assert sum(not got["duplicate"] for got in won) == 1
    assert await requests_made(service) == 1
    last = [await replica.contact(body, key="k") for replica in replicas for body in bodies]
    assert sorted(answer.status_code for answer in last) == [202, 202, 422, 422]


async def test_a_key_being_worked_on_is_refused_here_and_on_another_replica(service: Intakes) -> None:
    here, there = await service.local(), await service.local()
    async with service.held("lock table requests in exclusive mode"):
        first = asyncio.create_task(here.contact(key="k"))
        await until(service.waits_for_lock, what="the first use waits in its transaction")
        for replica in (here, there):
            answer = await replica.contact(key="k")
            assert (answer.status_code, answer.json()["type"]) == (409, "/problems/in-flight")
            assert not {"state", "holder"} & answer.json().keys()
    assert (await first).status_code == 202
    assert [(await replica.contact(key="k")).json()["duplicate"] for replica in (here, there)] == [True, True]


async def test_keys_older_than_their_time_are_forgotten_and_younger_ones_kept(service: Intakes) -> None:
    first = await service.local()
    for key in ("old", "young"):
        await first.contact(key=key)
    week_us = 7 * 86_400_000_000
    await service.named("update idempotency_keys set made_us = made_us - $1 where key = 'old' returning 1", 2 * week_us)
    await service.named("update idempotency_keys set made_us = made_us - $1 where key = 'young' returning 1", week_us)
    await service.local()  # each replica looks at its start

    async def gone() -> bool:
        return [row["key"] for row in await service.named("select key from idempotency_keys")] == ["young"]

    await until(gone)
