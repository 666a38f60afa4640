"""Whatever is wrong with a request is refused, named, and leaves nothing behind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.intake import Caller, Intakes, contact
from tests.support.serving import TOKEN, Json, tokens

LONE_SURROGATE = b'{"channel":"chat","customer":{"id":"c-1"},"body":"half \\ud800"}'
DEEP = b'{"channel":"chat","customer":{"id":"c-1"},"attributes":{"a":' + b"[" * 60 + b"]" * 60 + b"}}"
WRONG: list[tuple[str, Any]] = [
    ("colour", contact(colour="red")),
    ("customer.shoe_size", contact(customer={"id": "c-1", "shoe_size": 43})),
    ("channel", {"customer": {"id": "c-1"}}),
    ("customer", {"channel": "chat"}),
    ("customer", contact(customer={"name": "no identifier"})),
    ("customer", contact(customer={"email": ""})),
    ("customer.id", contact(customer={"id": 42})),
    ("channel", contact(channel="pigeon")),
    ("severity", contact(severity=0)),
    ("severity", contact(severity=5)),
    ("severity", contact(severity="3")),
    ("severity", contact(severity=3.0)),
    ("severity", contact(severity=True)),
    ("priority", contact(priority=101)),
    ("priority", contact(priority=-1)),
    ("occurred_at", contact(occurred_at="yesterday")),
    ("occurred_at", contact(occurred_at="2001-01-01T00:00:00")),
    ("occurred_at", contact(occurred_at="2001-01-01T00:00:00.0000001Z")),
    ("occurred_at", contact(occurred_at="1969-12-31T23:59:59Z")),
    ("session.0.action", contact(session=[{"at": "2001-01-01T00:00:00Z"}])),
    ("session.1.at", contact(session=[{"action": "search"}, {"action": "read", "at": "soon"}])),
    ("context.planet", contact(context={"planet": "Mars"})),
    ("continues", contact(continues="a b")),
    ("skills.0", contact(skills=[""])),
    ("queue", contact(queue="")),
    ("queue", contact(queue="q" * 201)),
    ("body", contact(body="nul \x00 inside")),
    ("attributes.a", contact(attributes={"a": "nul \x00 inside"})),
    ("attributes", b'{"channel":"chat","customer":{"id":"c-1"},"attributes":{"n":1e400}}'),
    ("attributes", DEEP),
    ("body", LONE_SURROGATE),
    ("body", b"\xff\xfe"),
    ("body", b'{"channel":'),
    ("body", b'{"channel":"chat","customer":{"id":"c-1"},"severity":NaN}'),
    ("body", b""),
    ("body", b"[]"),
    ("body", b"null"),
    ("body", b"[" * 100_000),
]


async def test_the_field_that_is_wrong_is_named_and_nothing_is_kept(service: Intakes, intake: Caller) -> None:
    astray = []
    for field, body in WRONG:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await intake.http.post("/v1/contacts", content=content, headers={"idempotency-key": "k"})
        problem = answer.json()
        named = [error["field"] for error in problem.get("errors", [])]
        if (answer.status_code, problem["type"]) != (422, "/problems/validation") or field not in named:
            astray.append((field, content[:80], answer.status_code, problem))
        assert answer.headers["content-type"] == "application/problem+json"
    assert astray == []
    assert await service.value("select count(*) from events") == 0
    assert await service.value("select count(*) from idempotency_keys") == 0


async def test_every_wrong_field_is_named_at_once(intake: Caller) -> None:
    answer = await intake.contact(severity=9, priority=900, colour="red")
    assert {error["field"] for error in answer.json()["errors"]} == {"severity", "priority", "colour"}


async def test_unknown_query_parameters_are_named(intake: Caller) -> None:
    for path in PATHS:
        answer = await intake.http.post(path, params={"dry_run": "1"}, json=contact())
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "dry_run"), path


PATHS = [
    "/v1/contacts",
    "/v1/contacts:batch",
    "/v1/requests/r-1/messages",
    "/v1/requests/r-1/feedback",
    "/v1/imports",
]


@pytest.mark.parametrize("path", PATHS)
async def test_without_a_known_token_nothing_is_answered(intake: Caller, path: str) -> None:
    for given in ("", "Bearer not-the-token", "Basic only-in-tests"):
        answer = await intake.http.post(path, json=contact(), headers={"authorization": given})
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/unauthorized")


async def test_a_token_may_do_what_its_scopes_say(service: Intakes) -> None:
    import_only = await service.local(THROUGHLINE_TOKENS=tokens({TOKEN: ["imports:write"]}))
    assert (await import_only.http.post("/v1/imports", content=b"")).status_code == 200
    for path in PATHS[:-1]:
        answer = await import_only.http.post(path, json=contact())
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")
    contacts_only = await service.local(THROUGHLINE_TOKENS=tokens({TOKEN: ["contacts:write"]}))
    assert (await contacts_only.http.post("/v1/imports", content=b"")).status_code == 403


@pytest.mark.parametrize(("path", "most"), [("/v1/contacts", 1 << 20), (PATHS[2], 1 << 20), (PATHS[3], 1 << 20)])
async def test_a_body_over_one_mebibyte_is_too_large(intake: Caller, path: str, most: int) -> None:
    body: Json = contact(body="")
    body["body"] = "x" * (most + 1 - len(json.dumps(body)))
    answer = await intake.http.post(path, content=json.dumps(body).encode())
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")


async def test_a_body_of_one_mebibyte_is_taken(intake: Caller) -> None:
    body = contact(body="")
    body["body"] = "x" * ((1 << 20) - len(json.dumps(body)))
    assert (await intake.http.post("/v1/contacts", content=json.dumps(body).encode())).status_code == 202


@pytest.mark.parametrize("path", ["/v1/contacts:batch", "/v1/imports"])
async def test_of_more_than_16_mebibytes_nothing_is_taken(service: Intakes, intake: Caller, path: str) -> None:
    good = json.dumps(contact()).encode() + b"\n"
    answer = await intake.http.post(path, content=good + b" " * (16 << 20))
    assert answer.status_code == 413
    assert await service.value("select count(*) from events") == 0


async def test_any_text_that_a_person_may_write_is_taken(intake: Caller) -> None:
    odd = [
        "Grüße, 東京 👩‍👩‍👧",
        "e\u0301",
        "\x7f\x1f\x85\u2028",
        "\u202eright",
        "'; drop table events; --",
        "\ufeff\ufffe",
    ]
    for text in odd:
        who = {"id": text, "name": text, "email": text, "phone": text, "handle": text}
        answer = await intake.contact(customer=who, subject=text, body=text, thread=text, queue=text)
        assert answer.status_code == 202, (text, answer.text)
