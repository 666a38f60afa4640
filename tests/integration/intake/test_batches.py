"""`POST /v1/contacts:batch`: one answer a line, in order, each contact by itself."""

from __future__ import annotations

import httpx

from tests.support.intake import Caller, Intakes, contact, lines_of, ndjson
from tests.support.serving import Json


async def post(intake: Caller, lines: list[Json] | bytes) -> httpx.Response:
    body = lines if isinstance(lines, bytes) else ndjson(lines)
    return await intake.http.post("/v1/contacts:batch", content=body)


async def answers(intake: Caller, lines: list[Json] | bytes) -> list[Json]:
    answer = await post(intake, lines)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson"), answer.text
    return lines_of(answer)


async def test_each_line_is_a_contact_of_its_own(service: Intakes, intake: Caller) -> None:
    got = await answers(intake, [contact(customer={"id": f"c-{n}"}) for n in range(700)])
    assert [one["line"] for one in got] == list(range(1, 701))
    assert {one["status"] for one in got} == {202}
    assert len({one["request_id"] for one in got}) == len({one["event_id"] for one in got}) == 700
    assert set(got[0]) == {"line", "status", "request_id", "event_id", "received_at", "duplicate", "error"}
    assert await service.value("select count(*) from events where type = 'ContactReceived'") == 700


async def test_the_customers_stay_with_their_lines(service: Intakes, intake: Caller) -> None:
    got = await answers(intake, [contact(customer={"id": f"c-{n}"}) for n in range(5)])
    for n, one in enumerate(got):
        kept = await service.value("select customer_id from requests where request_id::text = $1", one["request_id"])
        assert kept == f"c-{n}"


async def test_a_bad_line_hurts_only_itself(service: Intakes, intake: Caller) -> None:
    unknown = contact(continues="call-1")
    large = ndjson([contact(body="x" * (1 << 20))])
    bad = [b'{"channel":', b"[1]", ndjson([contact(colour="red")]), ndjson([unknown]), large]
    body = b"".join(each.rstrip(b"\n") + b"\n" + ndjson([contact()]) for each in bad)
    got = await answers(intake, body)
    assert [one["status"] for one in got] == [422, 202, 422, 202, 422, 202, 404, 202, 413, 202]
    assert got[4]["error"]["errors"][0]["field"] == "colour"
    for one in got[::2]:
        assert one["error"]["status"] == one["status"]
        assert (one["request_id"], one["event_id"], one["received_at"]) == (None, None, None)
    assert await service.value("select count(*) from events where type = 'ContactReceived'") == 5


async def test_the_second_use_of_a_key_in_one_batch_is_a_duplicate(service: Intakes, intake: Caller) -> None:
    keyed = contact() | {"idempotency_key": "k"}
    other = contact(subject="other") | {"idempotency_key": "k"}
    got = await answers(intake, [keyed, contact(), keyed, other, keyed])
    assert [one["status"] for one in got] == [202, 202, 202, 422, 202]
    assert [one["duplicate"] for one in got] == [False, False, True, False, True]
    assert got[0]["request_id"] == got[2]["request_id"] == got[4]["request_id"] != got[1]["request_id"]
    assert got[3]["error"]["type"] == "/problems/key-reused"
    assert await service.value("select count(*) from events where type = 'ContactReceived'") == 2


async def test_the_same_batch_again_gets_the_first_answers(service: Intakes, intake: Caller) -> None:
    lines = [contact() | {"idempotency_key": f"k-{n}"} for n in range(20)]
    first, again = await answers(intake, lines), await answers(intake, lines)
    assert again == [one | {"duplicate": True} for one in first]
    assert await service.value("select count(*) from events where type = 'ContactReceived'") == 20


async def test_a_thread_begun_in_a_batch_is_continued_in_it(service: Intakes, intake: Caller) -> None:
    got = await answers(intake, [contact(thread="t"), contact(thread="t"), contact(thread="t")])
    assert len({one["request_id"] for one in got}) == 1
    assert [one.get("continued", False) for one in got] == [False, True, True]
    rows = await service.named("select type, version from events where topic = 'contacts' order by version")
    kinds = ["ContactReceived", "MessageReceived", "MessageReceived"]
    assert [tuple(row) for row in rows] == list(zip(kinds, (1, 2, 3), strict=True))


async def test_a_key_that_cannot_be_kept_is_named(intake: Caller) -> None:
    for key in ("", "k" * 256, "a\x00b", 7):
        (got,) = await answers(intake, [contact() | {"idempotency_key": key}])
        assert (got["status"], got["error"]["errors"][0]["field"]) == (422, "idempotency_key")


async def test_of_more_than_a_thousand_lines_none_is_taken(service: Intakes, intake: Caller) -> None:
    answer = await post(intake, [contact()] * 1_001)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
    assert await service.value("select count(*) from events") == 0


async def test_empty_lines_are_no_contacts_but_count_as_lines(intake: Caller) -> None:
    assert [one["line"] for one in await answers(intake, b"\n" + ndjson([contact()]) + b"\r\n\n")] == [2]
    assert await answers(intake, b"") == []
