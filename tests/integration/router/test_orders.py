"""Orders over HTTP: a life from end to end, what is refused and how, keys, and what nobody else may read."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import orjson

from chassis.store import lock_streams
from router.adapters.book import SqlBook
from tests.router.given import waiting
from tests.support.router import Router, Routers
from tests.support.routing import Routing
from tests.support.serving import TOKEN, tokens
from tests.support.until import until


async def offered(desk: Routing, router: Router, request_id: str = "r-1", agent_id: str = "ada") -> None:
    await desk.key()
    await router.agent(agent_id)
    await desk.contact(request_id)
    await router.comes(request_id, state="offered", agent_id=agent_id)


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"/problems/{kind}"
    return body


async def test_a_request_lives_its_whole_life_over_http(desk: Routing, router: Router) -> None:
    await offered(desk, router)
    seen = await router.view("r-1")
    assert (seen["leg"], seen["tier"], seen["queue"], seen["version"]) == (1, 1, "default", 1)
    assert [each["agent_id"] for each in seen["decision"]["candidates"]] == ["ada"]
    states = [
        (await router.done("accept", "r-1", "ada"))["state"],
        (await router.done("pause", "r-1", "ada", reason="hold"))["state"],
        (await router.done("resume", "r-1", "ada"))["state"],
        (await router.done("transfer", "r-1", "ada", to={"skills": ["law"]}, note="a lawyer's matter"))["state"],
    ]
    assert states == ["connected", "paused", "connected", "waiting"]
    assert (await router.view("r-1"))["skills"] == ["law"]
    await router.agent("eve", skills={"law": 3})
    await router.comes("r-1", state="offered", agent_id="eve", leg=2)
    await router.done("decline", "r-1", "eve", reason="no")
    assert (await router.done("abandon", "r-1", reason="hung up"))["state"] == "abandoned"
    assert (await router.done("reopen", "r-1", reason="called again"))["state"] in {"waiting", "offered"}
    told = await desk.types("r-1")
    assert told[:7] == ["Routed", "Connected", "Paused", "Resumed", "Transferred", "Routed", "OfferClosed"]
    assert told[7:9] == ["Abandoned", "Reopened"]


async def test_a_refusal_is_a_409_with_the_state_and_the_holder(desk: Routing, router: Router) -> None:
    await offered(desk, router)
    body = problem(await router.order("accept", "r-1", "bob"), 409, "conflict")
    assert (body["state"], body["holder"]) == ("offered", "ada")
    body = problem(await router.order("accept", "r-1", "ada", leg=2), 409, "conflict")
    assert (body["state"], body["holder"]) == ("offered", "ada")
    await router.done("abandon", "r-1")
    body = problem(await router.order("accept", "r-1", "ada"), 409, "conflict")
    assert (body["state"], body["holder"]) == ("abandoned", None)


async def test_what_is_no_request_here_is_404(router: Router) -> None:
    for request_id in ("r-2", "a%20b", "x" * 101, "ä"):
        problem(await router.order("accept", request_id, "ada"), 404, "not-found")
        problem(await router.order("abandon", request_id), 404, "not-found")
        problem(await router.http.get(f"/v1/requests/{request_id}"), 404, "not-found")


MALFORMED: list[tuple[str, dict[str, Any], str]] = [
    ("accept", {}, "agent_id"),
    ("accept", {"agent_id": ""}, "agent_id"),
    ("accept", {"agent_id": 7}, "agent_id"),
    ("accept", {"agent_id": "a\u0000"}, "agent_id"),
    ("accept", {"agent_id": "ada", "mood": "good"}, "mood"),
    ("accept", {"agent_id": "ada", "leg": 0}, "leg"),
    ("accept", {"agent_id": "ada", "leg": "1"}, "leg"),
    ("pause", {"agent_id": "ada"}, "reason"),
    ("pause", {"agent_id": "ada", "reason": "lunch"}, "reason"),
    ("resolve", {"agent_id": "ada", "articles": "one"}, "articles"),
    ("transfer", {"agent_id": "ada"}, "to"),
    ("transfer", {"agent_id": "ada", "to": {}}, "to"),
    ("transfer", {"agent_id": "ada", "to": {"queue": "q", "tier": 2}}, "to"),
    ("transfer", {"agent_id": "ada", "to": {"tier": 5}}, "to.tier"),
    ("transfer", {"agent_id": "ada", "to": {"skills": []}}, "to.skills"),
    ("transfer", {"agent_id": "ada", "to": {"agent_id": "nobody"}}, "to.agent_id"),
    ("transfer", {"agent_id": "ada", "to": {"queue": "q" * 201}}, "to.queue"),
    ("accept", {"agent_id": "a" * 201}, "agent_id"),
    ("abandon", {"agent_id": "ada"}, "agent_id"),
    ("reopen", {"reason": 3}, "reason"),
]


async def test_what_is_malformed_is_422_and_names_the_field(desk: Routing, router: Router) -> None:
    await offered(desk, router)
    await router.done("accept", "r-1", "ada")
    for verb, body, field in MALFORMED:
        answer = await router.http.post(f"/v1/requests/r-1/{verb}", json=body)
        fields = [error["field"] for error in problem(answer, 422, "validation")["errors"]]
        assert field in fields, (verb, body, fields)


async def test_unknown_query_parameters_and_what_is_no_object_are_422(router: Router) -> None:
    problem(await router.http.post("/v1/requests/r-1/abandon?dry_run=1", json={}), 422, "validation")
    problem(await router.http.get("/v1/requests/r-1?full=1"), 422, "validation")
    for raw in (b"", b"[]", b"{", b"null"):
        problem(await router.http.post("/v1/requests/r-1/abandon", content=raw), 422, "validation")
    problem(await router.http.post("/v1/requests/r-1/abandon", content=b" " * (1 << 20) + b"{}"), 413, "too-large")


async def test_each_call_needs_its_scope(service: Routers, desk: Routing) -> None:
    await desk.contact("r-1")
    reads = await service.local(THROUGHLINE_TOKENS=tokens({TOKEN: ["routing:read"]}))
    acts = await service.local(THROUGHLINE_TOKENS=tokens({TOKEN: ["routing:act"]}))
    assert (await reads.http.get("/v1/requests/r-1")).status_code == 200
    problem(await reads.order("abandon", "r-1"), 403, "forbidden")
    problem(await acts.http.get("/v1/requests/r-1"), 403, "forbidden")
    nobody = {"authorization": "Bearer no"}
    problem(await acts.http.post("/v1/requests/r-1/abandon", json={}, headers=nobody), 401, "unauthorized")
    assert (await acts.done("abandon", "r-1"))["state"] == "abandoned"


async def test_a_key_gives_the_first_answer_and_stands_for_one_body(desk: Routing, router: Router) -> None:
    await offered(desk, router)
    first = await router.order("accept", "r-1", "ada", key="k")
    await router.done("resolve", "r-1", "ada")
    again = await router.order("accept", "r-1", "ada", key="k")
    assert (again.status_code, again.content) == (200, first.content)
    problem(await router.order("accept", "r-1", "ada", key="k", leg=1), 422, "key-reused")
    assert (await router.order("resolve", "r-1", "ada", key="k")).status_code == 200  # a key counts per path


async def test_the_same_key_at_once_is_carried_out_once(desk: Routing, router: Router) -> None:
    await offered(desk, router)
    answers = await asyncio.gather(*(router.order("accept", "r-1", "ada", key="k") for _ in range(12)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    for answer in answers:
        if answer.status_code == 409:
            problem(answer, 409, "in-flight")
    assert len({answer.content for answer in answers if answer.status_code == 200}) == 1
    assert await desk.types("r-1") == ["Routed", "Connected"]


async def test_a_key_that_another_process_works_on_is_in_flight(desk: Routing, router: Router) -> None:
    await offered(desk, router)
    async with desk.db.transaction() as tx:
        await lock_streams(tx, ["r-1"])
        first = asyncio.ensure_future(router.order("accept", "r-1", "ada", key="k"))
        await until(desk.somebody_waits, what="the first waits for the request")
        problem(await router.order("accept", "r-1", "ada", key="k"), 409, "in-flight")
    assert (await first).status_code == 200


async def test_what_agents_say_is_sealed_under_the_customers_key(desk: Routing, router: Router) -> None:
    await offered(desk, router)
    await router.done("accept", "r-1", "ada")
    await router.done("resolve", "r-1", "ada", code="paid", summary="Mrs Lovelace was charged twice")
    (event,) = await desk.rows("select payload, event_id::text from events where type = 'Resolved'")
    data = orjson.loads(event["payload"])
    assert b"Lovelace" not in event["payload"]
    assert (data["code"], data["sealed"]["key_id"]) == ("paid", "c-1")


async def test_of_an_erased_customer_nothing_more_is_kept(desk: Routing, router: Router) -> None:
    await desk.rows("insert into customer_keys (key_id, made_us, destroyed_us) values ('c-1', 0, 0) returning 1")
    await desk.contact("r-1")
    assert (await router.done("abandon", "r-1", reason="his name was Babbage"))["state"] == "abandoned"
    (event,) = await desk.rows("select payload from events where type = 'Abandoned'")
    assert set(orjson.loads(event["payload"])) == {"leg", "cycle", "queue", "tier", "channel", "by"}


async def test_a_request_that_arrives_while_somebody_speaks_of_it_is_no_trouble(desk: Routing, router: Router) -> None:
    await desk.key()
    async with desk.db.transaction() as tx:
        await lock_streams(tx, ["r-1"])
        order = asyncio.ensure_future(router.done("abandon", "r-1", reason="hung up"))
        await until(desk.somebody_waits, what="the order waits for the request")
        await SqlBook(tx).begin([waiting()])
    assert (await order)["state"] == "abandoned"


async def test_words_wait_for_the_customers_key_and_then_ask_to_come_again(desk: Routing, router: Router) -> None:
    await desk.contact("r-1")
    # More than there are connections: whoever waits for a key keeps nobody else from his work.
    waiting_ = [asyncio.ensure_future(router.order("decline", "r-1", "ada", reason="no key")) for _ in range(12)]
    await asyncio.sleep(0)
    assert (await router.done("abandon", "r-1"))["state"] == "abandoned"
    assert not any(each.done() for each in waiting_)
    for answer in await asyncio.gather(*waiting_):
        problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"]
