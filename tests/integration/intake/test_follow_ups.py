"""Messages and feedback: more on a request that was received here, and on no other."""

from __future__ import annotations

import json
import uuid

from tests.support.intake import Caller, Intakes, line
from tests.support.serving import Json

MESSAGE: Json = {"channel": "sms", "body": "and again"}
FEEDBACK: Json = {"score": 5, "text": "thank you"}
OTHER: dict[str, Json] = {"messages": {"channel": "chat"}, "feedback": {"score": 1}}
BOTH = [("messages", MESSAGE, "MessageReceived"), ("feedback", FEEDBACK, "FeedbackReceived")]


async def test_each_joins_its_request(service: Intakes, intake: Caller) -> None:
    request_id = (await intake.contact(customer={"id": "c-7"})).json()["request_id"]
    for what, body, kind in BOTH:
        answer = await intake.http.post(f"/v1/requests/{request_id}/{what}", json=body)
        got = answer.json()
        assert (answer.status_code, got["request_id"]) == (202, request_id)
        (row,) = await service.named("select * from events where event_id = $1", uuid.UUID(got["event_id"]))
        assert (row["type"], row["stream"], row["source"]) == (kind, request_id, "/services/intake")
        payload = json.loads(row["payload"])
        assert (payload["customer_id"], payload["sealed"]["key_id"]) == ("c-7", "c-7")
    rows = await service.named("select version, occurred_us from events where stream = $1 order by version", request_id)
    assert [row["version"] for row in rows] == [1, 2, 3]
    assert len({row["occurred_us"] for row in rows}) == 3


async def test_a_key_gives_the_first_answer_again(service: Intakes, intake: Caller) -> None:
    request_id = (await intake.contact()).json()["request_id"]
    for what, body, kind in BOTH:
        path, headers = f"/v1/requests/{request_id}/{what}", {"idempotency-key": "k"}
        first, again = [(await intake.http.post(path, json=body, headers=headers)).json() for _ in range(2)]
        assert (first["duplicate"], again["duplicate"]) == (False, True)
        assert again == first | {"duplicate": True}
        other = await intake.http.post(path, json=body | OTHER[what], headers=headers)
        assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")
        assert await service.value("select count(*) from events where type = $1", kind) == 1


async def test_an_unknown_request_takes_none(service: Intakes, intake: Caller) -> None:
    assert [one["status"] for one in await intake.imported([line("call-1")])] == ["accepted"]
    for request_id in ("call-1", "call-2", str(uuid.uuid4()), "x" * 500, "r%20x", "%C3%BC"):
        for what, body, _ in BOTH:
            answer = await intake.http.post(f"/v1/requests/{request_id}/{what}", json=body)
            assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert await service.value("select count(*) from events where source <> '/imports'") == 0


async def test_what_is_wrong_is_named(intake: Caller) -> None:
    request_id = (await intake.contact()).json()["request_id"]
    wrong: list[tuple[str, Json, str]] = [
        ("messages", {"body": "no channel"}, "channel"),
        ("messages", {"channel": "fax"}, "channel"),
        ("messages", MESSAGE | {"queue": "default"}, "queue"),
        ("feedback", {}, "score"),
        ("feedback", {"score": 0}, "score"),
        ("feedback", {"score": 6}, "score"),
        ("feedback", FEEDBACK | {"stars": 5}, "stars"),
    ]
    for what, body, field in wrong:
        answer = await intake.http.post(f"/v1/requests/{request_id}/{what}", json=body)
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])
