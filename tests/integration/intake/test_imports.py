"""`POST /v1/imports`: each line accepted once, a duplicate, or rejected by itself with the field that is wrong."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections import Counter
from typing import Any

from tests.support.intake import Caller, Intakes, contact, line, ndjson
from tests.support.serving import Json
from tests.support.until import until

LIFE = ("ContactReceived", "Routed", "Connected", "Resolved")


def life(request_id: str) -> list[Json]:
    agent = {"agent_id": "a-1"}
    return [line(request_id), *(line(request_id, kind, n, **agent) for n, kind in enumerate(LIFE[1:], start=1))]


def statuses(answers: list[Json]) -> list[str]:
    return [answer["status"] for answer in answers]


async def kept(service: Intakes) -> int:
    return int(await service.value("select count(*) from events where source = '/imports'"))


async def test_the_same_import_again_changes_nothing(service: Intakes, intake: Caller) -> None:
    first, again = await intake.imported(life("call-1")), await intake.imported(life("call-1"))
    assert first == [{"line": n, "status": "accepted", "error": None} for n in range(1, 5)]
    assert again == [{"line": n, "status": "duplicate", "error": None} for n in range(1, 5)]
    assert await kept(service) == 4


async def test_an_event_keeps_its_time_and_comes_in_the_order_of_arrival(service: Intakes, intake: Caller) -> None:
    lines = life("call-1")[::-1]
    lines[0]["occurred_at"] = "9999-12-31T23:59:59.999999Z"
    lines[3] |= {"occurred_at": "1970-01-01T00:00:00Z", "causation_id": "00000000-0000-0000-0000-000000000000"}
    await intake.imported(lines)
    rows = await service.named("select * from events where source = '/imports' order by version")
    assert [(row["version"], row["type"]) for row in rows] == list(enumerate(LIFE[::-1], start=1))
    assert {(row["topic"], row["key"]) for row in rows} == {("contacts", "call-1")}
    assert (rows[0]["occurred_us"], rows[3]["occurred_us"]) == (253_402_300_799_999_999, 0)
    assert rows[3]["causation_id"] == uuid.UUID(int=0)
    assert {row["clock_us"] for row in rows} == {None}


async def test_the_data_are_kept_as_sent(service: Intakes, intake: Caller) -> None:
    data = {"agent_id": "a-1", "queue": None, "tier": 2}
    await intake.imported([line("call-1") | {"type": "Connected", "data": data}])
    assert json.loads(await service.value("select payload from events")) == data


async def test_a_line_is_sealed_under_its_requests_key_and_only_where_it_must(service: Intakes, intake: Caller) -> None:
    personal = line("call-1", channel="chat", customer={"id": "c-1", "name": "Ada"}, body="help")
    await intake.imported([personal, *life("call-2")])
    payload = json.loads(await service.value("select payload from events where key = 'call-1' and topic = 'contacts'"))
    assert (payload["customer"], payload["sealed"]["key_id"]) == ({"id": "c-1"}, "request:call-1")
    made = await service.named("select key from events where type = 'KeyMade'")
    assert [row["key"] for row in made] == ["request:call-1"]


async def test_the_same_line_twice_in_one_call_is_accepted_once(service: Intakes, intake: Caller) -> None:
    named = line("call-2") | {"event_id": str(uuid.uuid4())}
    got = await intake.imported([line("call-1"), line("call-1"), named, named])
    assert statuses(got) == ["accepted", "duplicate"] * 2
    assert await kept(service) == 2


async def test_content_counts_as_sent(intake: Caller) -> None:
    """Another spelling of the same time, or a null beside nothing, is another line."""
    first = line("call-1", "Resumed")
    null = first | {"data": {"agent_id": None}}
    offset = first | {"occurred_at": "2001-01-01T01:00:00.000000+01:00"}
    same = first | {"event_id": None, "causation_id": None}
    assert statuses(await intake.imported([first, null, offset, same])) == ["accepted"] * 3 + ["duplicate"]


async def test_an_id_that_stands_for_other_content_is_rejected(service: Intakes, intake: Caller) -> None:
    event_id = str(uuid.uuid4())
    first = line("call-1") | {"event_id": event_id}
    others = [
        first | {"request_id": "call-2"},
        first | {"occurred_at": "2001-01-01T00:00:01.000000Z"},
        first | {"data": {"channel": "chat", "customer": {"id": "c-2"}}},
        first | {"causation_id": str(uuid.uuid4())},
    ]
    got = await intake.imported([first, *others])
    assert statuses(got) == ["accepted"] + ["rejected"] * 4
    assert statuses(await intake.imported([first, *others])) == ["duplicate"] + ["rejected"] * 4
    assert {error["field"] for one in got[1:] for error in one["error"]["errors"]} == {"event_id"}
    assert await kept(service) == 1


async def test_the_id_of_a_live_event_is_rejected(intake: Caller) -> None:
    live = (await intake.contact()).json()
    (got,) = await intake.imported([line("call-1") | {"event_id": live["event_id"]}])
    assert (got["status"], got["error"]["errors"][0]["field"]) == ("rejected", "event_id")


async def test_a_line_for_a_live_request_is_rejected(service: Intakes, intake: Caller) -> None:
    live = (await intake.contact()).json()
    got = await intake.imported([line(live["request_id"], "Connected", agent_id="a-1"), line("call-1")])
    assert statuses(got) == ["rejected", "accepted"]
    assert got[0]["error"]["errors"][0]["field"] == "request_id"
    assert await kept(service) == 1


def wrong(field: str, *values: Any) -> list[tuple[str, bytes]]:
    """A line for each value, with that value as its `field`."""
    return [(field, ndjson([line("bad") | {field: value}])) for value in values]


BAD: list[tuple[str, bytes]] = [
    ("", b'{"type": "Connected", '),
    ("", b"[1, 2]"),
    ("", b'"text"'),
    ("", b"null"),
    ("", b"\xff\xfe{}"),
    ("", b"[" * 2_000),
    ("type", b'{"request_id":"bad","occurred_at":"2001-01-01T00:00:00Z","data":{}}'),
    *wrong("type", "Teleported", None, 7, "connected", []),
    *wrong("request_id", "", "a b", "ü", "x" * 101, "a/b", 5, None),
    *wrong("occurred_at", "", "yesterday", 978307200, None, "2001-02-29T00:00:00Z", "2001-01-01T00:00:00.000000"),
    *wrong("occurred_at", "2001-01-01T00:00:00.1234567Z", "1969-12-31T23:59:59Z", "2016-12-31T23:59:60Z"),
    *wrong("data", None, [], "x"),
    *wrong("event_id", 7, "", "x", "00000000-0000-0000-0000-00000000000A"),
    *wrong("causation_id", 7, "", "x"),
    ("colour", ndjson([line("bad") | {"colour": "red"}])),
    ("data.colour", ndjson([line("bad", "Connected", agent_id="a-1", colour="red")])),
    ("data.agent_id", ndjson([line("bad", "Routed", queue="default")])),
    ("data.customer", ndjson([line("bad", channel="chat", customer={})])),
    ("data.severity", ndjson([line("bad", channel="chat", customer={"id": "c"}, severity=5)])),
    ("data.to", ndjson([line("bad", "Transferred", to={})])),
    ("data.score", ndjson([line("bad", "FeedbackReceived", score=6)])),
    ("data.body", ndjson([line("bad", "MessageReceived", channel="sms", body="nul \x00")])),
    ("", b'{"type":"Resumed","request_id":"bad","occurred_at":"2001-01-01T00:00:00Z","data":{"code":"\\ud800"}}'),
    ("", ndjson([line("bad", "MessageReceived", channel="sms", body="x" * (1 << 20))])),
]


async def test_a_bad_line_is_rejected_by_its_field_and_its_neighbours_are_taken(
    service: Intakes, intake: Caller
) -> None:
    goods = [line(f"good-{n}") for n in range(len(BAD))]
    body = b"".join(bad.strip() + b"\n" + ndjson([good]) for (_, bad), good in zip(BAD, goods, strict=True))
    got = await intake.imported(body)
    assert [one["line"] for one in got] == list(range(1, 2 * len(BAD) + 1))
    assert statuses(got[1::2]) == ["accepted"] * len(BAD)
    astray = []
    for (field, bad), one in zip(BAD, got[::2], strict=True):
        named = [error["field"] for error in one["error"]["errors"]] if one["error"] else []
        if one["status"] != "rejected" or (field and field not in named):
            astray.append((field, bad[:120], one))
    assert astray == []
    assert await kept(service) == len(BAD)


async def test_a_number_that_is_none_is_taken_as_it_stands(intake: Caller) -> None:
    caller = line("call-1", channel="voice", customer={"phone": "+1", "email": "nobody"})
    assert statuses(await intake.imported([caller])) == ["accepted"]


async def test_ten_thousand_lines_are_taken_and_one_more_is_too_many(service: Intakes, intake: Caller) -> None:
    lines = [line(f"call-{n}", "Connected", agent_id="a-1") for n in range(10_000)]
    too_many = await intake.http.post("/v1/imports", content=ndjson([*lines, line("one-more")]))
    assert (too_many.status_code, await kept(service)) == (413, 0)
    assert Counter(statuses(await intake.imported(lines))) == {"accepted": 10_000}


async def test_many_imports_at_once_accept_each_event_just_once(service: Intakes) -> None:
    """Overlapping parts in different orders on two replicas: nobody waits in a circle, nothing is taken twice."""
    replicas = [await service.local(), await service.local()]
    rng = random.Random(7)
    lines = [one for n in range(150) for one in life(f"call-{n}")]
    for number, one in enumerate(lines[::3]):
        one["event_id"] = str(uuid.UUID(int=number, version=4))
    calls = [rng.sample(lines, 400) for _ in range(8)]
    answers = await asyncio.gather(*(replicas[n % 2].imported(call) for n, call in enumerate(calls)))
    accepted: Counter[str] = Counter()
    for call, answer in zip(calls, answers, strict=True):
        assert set(statuses(answer)) <= {"accepted", "duplicate"}
        accepted.update(json.dumps(one) for one, got in zip(call, answer, strict=True) if got["status"] == "accepted")
    sent = {json.dumps(one) for call in calls for one in call}
    assert accepted == dict.fromkeys(sent, 1)
    assert await kept(service) == len(sent)
    gaps = "select stream from events group by stream having max(version) <> count(*) or min(version) <> 1"
    assert await service.named(gaps) == []


async def test_one_id_in_two_requests_at_once_is_accepted_for_one(service: Intakes) -> None:
    replicas = [await service.local(), await service.local()]
    for n in range(10):
        event_id = {"event_id": str(uuid.uuid4())}
        calls = [replica.imported([line(f"call-{n}-{at}") | event_id]) for at, replica in enumerate(replicas)]
        got = await asyncio.gather(*calls)
        assert sorted(statuses(got[0] + got[1])) == ["accepted", "rejected"]


async def test_imports_that_claim_the_same_ids_in_opposite_orders_do_not_wait_in_a_circle(service: Intakes) -> None:
    """For requests of their own, so that no request's lock keeps them apart."""
    replicas = [await service.local(), await service.local()]
    for turn in range(5):
        ids = [str(uuid.uuid4()) for _ in range(400)]
        calls = [
            [line(f"{name}-{turn}-{n}") | {"event_id": event_id} for n, event_id in enumerate(order)]
            for name, order in (("here", ids), ("there", ids[::-1]))
        ]
        answers = await asyncio.gather(*(r.imported(call) for r, call in zip(replicas, calls, strict=True)))
        assert Counter(statuses(answers[0] + answers[1])) == {"accepted": 400, "rejected": 400}


async def test_an_import_never_keeps_a_live_contact_waiting(service: Intakes, intake: Caller) -> None:
    async with service.held("lock table imported in exclusive mode"):
        stalled = asyncio.create_task(intake.imported(life("call-1")))
        await until(service.waits_for_lock, what="the import waits in its transaction")
        assert (await intake.contact(contact())).status_code == 202
        assert not stalled.done()
    assert statuses(await stalled) == ["accepted"] * 4


async def test_an_import_that_waits_too_long_for_its_turn_is_refused(service: Intakes) -> None:
    narrow = await service.local(THROUGHLINE_IMPORT_CONNECTIONS=1, THROUGHLINE_IMPORT_PATIENCE_MS=50)
    async with service.held("lock table imported in exclusive mode"):
        stalled = asyncio.create_task(narrow.imported(life("call-1")))
        await until(service.waits_for_lock, what="the first import waits in its transaction")
        second = await narrow.http.post("/v1/imports", content=ndjson(life("call-2")))
        assert (second.status_code, second.json()["type"]) == (429, "/problems/overloaded")
        assert int(second.headers["retry-after"]) >= 1
    assert statuses(await stalled) == ["accepted"] * 4
    assert statuses(await narrow.imported(life("call-2"))) == ["accepted"] * 4
