"""The edge refuses by problem objects alone, and names what is wrong."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

READER = {"authorization": "Bearer reader"}
WRITER = {"authorization": "Bearer writer"}


def problem_of(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["type"] == f"/problems/{code}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


def fields(body: dict[str, Any]) -> list[str]:
    return [error["field"] for error in body["errors"]]


async def test_an_unknown_path_is_a_problem(client: httpx.AsyncClient) -> None:
    problem_of(await client.get("/v1/nothing"), 404, "not-found")


async def test_a_trailing_slash_is_another_path_and_not_a_redirect(client: httpx.AsyncClient) -> None:
    problem_of(await client.get("/v1/notes/7/", headers=READER), 404, "not-found")


async def test_a_method_that_a_path_does_not_take_is_a_problem_with_allow(client: httpx.AsyncClient) -> None:
    for path in ("/v1/hot", "/v1/notes/7"):
        response = await client.delete(path)
        problem_of(response, 405, "not-found")
        assert response.headers["allow"]


async def test_a_fault_inside_is_unavailable_and_tells_nothing_of_the_inside(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/fault")
    problem_of(response, 503, "unavailable")
    assert response.headers["retry-after"] == "1"
    assert "secret" not in response.text
    assert "Zero" not in response.text


async def test_without_a_token_nothing_is_read_or_validated(client: httpx.AsyncClient) -> None:
    responses = [
        await client.get("/v1/notes/7?what=ever"),
        await client.put("/v1/notes/7", content=b"{broken"),
        await client.post("/v1/hot", headers={"authorization": "Basic d3JpdGVy"}),
        await client.post("/v1/hot", headers={"authorization": "Bearer stranger"}),
    ]
    for response in responses:
        problem_of(response, 401, "unauthorized")
        assert response.headers["www-authenticate"] == "Bearer"


async def test_a_token_without_the_scope_is_forbidden_by_name(client: httpx.AsyncClient) -> None:
    assert "notes:write" in problem_of(await client.post("/v1/hot", headers=READER), 403, "forbidden")["detail"]
    assert "notes:read" in problem_of(await client.get("/v1/notes/7", headers=WRITER), 403, "forbidden")["detail"]


async def test_a_token_with_the_star_may_all(client: httpx.AsyncClient) -> None:
    token = {"authorization": "bearer all"}
    assert (await client.post("/v1/hot", headers=token)).status_code == 202
    assert (await client.get("/v1/notes/7", headers=token)).status_code == 200


@pytest.mark.parametrize("path", ["/v1/notes/7?shape=long&colour=red&size=1", "/v1/hot?colour=red&size=1&dry=1"])
async def test_unknown_query_parameters_are_refused_and_named(client: httpx.AsyncClient, path: str) -> None:
    hot = path.startswith("/v1/hot")
    response = await client.request("POST" if hot else "GET", path, headers=WRITER if hot else READER)
    assert fields(problem_of(response, 422, "validation")) == ["colour", "size"]


async def test_a_query_parameter_given_twice_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/notes/7?shape=long&shape=short", headers=READER)
    assert fields(problem_of(response, 422, "validation")) == ["shape"]


async def test_errors_name_each_field_by_its_path(client: httpx.AsyncClient) -> None:
    response = await client.put("/v1/notes/7", headers=READER, json={"stars": "3", "colour": "red"})
    assert sorted(fields(problem_of(response, 422, "validation"))) == ["colour", "stars", "text"]


@pytest.mark.parametrize("body", [b"{", b"", b'{"text": "\xff"}', b'{"text": NaN}', b'"text"', b"null"])
async def test_what_is_not_the_body_asked_for_is_invalid(client: httpx.AsyncClient, body: bytes) -> None:
    headers = {**READER, "content-type": "application/json"}
    problem_of(await client.put("/v1/notes/7", headers=headers, content=body), 422, "validation")


@pytest.mark.parametrize("said", [{}, {"content-type": "application/x-www-form-urlencoded"}])
async def test_a_body_is_json_whatever_its_type_says(client: httpx.AsyncClient, said: dict[str, str]) -> None:
    response = await client.put("/v1/notes/7", headers=READER | said, content=b'{"text": 3}')
    (error,) = problem_of(response, 422, "validation")["errors"]
    assert (error["field"], error["reason"]) == ("text", "Input should be a valid string")


async def test_nul_in_a_body_is_refused_where_it_stands(client: httpx.AsyncClient) -> None:
    headers = {**READER, "content-type": "application/json"}
    response = await client.put("/v1/notes/7", headers=headers, content=rb'{"text": "a\u0000b"}')
    assert fields(problem_of(response, 422, "validation")) == ["text"]


async def test_an_escaped_backslash_before_u0000_is_text(client: httpx.AsyncClient) -> None:
    headers = {**READER, "content-type": "application/json"}
    response = await client.put("/v1/notes/7", headers=headers, content=rb'{"text": "a\\u0000b"}')
    assert response.json()["text"] == r"a\u0000b"


async def test_a_lone_surrogate_is_refused(client: httpx.AsyncClient) -> None:
    headers = {**READER, "content-type": "application/json"}
    response = await client.put("/v1/notes/7", headers=headers, content=rb'{"text": "\ud800"}')
    problem_of(response, 422, "validation")


@pytest.mark.parametrize(
    "path", ["/v1/notes/a%00b", "/v1/notes/7?shape=%00", "/v1/notes/%ff", "/v1/notes/7?shape=%ed%a0%80"]
)
async def test_nul_and_broken_text_in_an_address_are_refused(client: httpx.AsyncClient, path: str) -> None:
    problem_of(await client.get(path, headers=READER), 422, "validation")


async def test_nesting_is_bounded_and_brackets_in_text_are_not_nesting(client: httpx.AsyncClient) -> None:
    headers = {**READER, "content-type": "application/json"}
    deep = b'{"text": ' + b"[" * 70 + b"]" * 70 + b"}"
    assert "64" in (await client.put("/v1/notes/7", headers=headers, content=deep)).text
    flat = orjson.dumps({"text": "[" * 70 + '"' + "{" * 70})
    assert (await client.put("/v1/notes/7", headers=headers, content=flat)).status_code == 200


async def test_a_body_over_the_limit_is_refused_before_it_is_read(client: httpx.AsyncClient) -> None:
    fits = await client.post("/v1/hot", headers=WRITER, content=b"x" * (1 << 20))
    assert (fits.status_code, fits.text) == (202, str(1 << 20))
    problem_of(await client.post("/v1/hot", headers=WRITER, content=b"x" * ((1 << 20) + 1)), 413, "too-large")


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/hot"), ("PUT", "/v1/notes/7")])
async def test_a_body_of_unknown_length_is_counted(client: httpx.AsyncClient, method: str, path: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    token = {"authorization": "Bearer all"}
    problem_of(await client.request(method, path, headers=token, content=endless()), 413, "too-large")


async def test_a_path_may_have_a_limit_of_its_own(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/bulk", headers=WRITER, content=b"x" * (3 << 20))).status_code == 202
    problem_of(await client.post("/v1/bulk", headers=WRITER, content=b"x" * ((3 << 20) + 1)), 413, "too-large")


async def test_every_answer_has_a_request_id_and_keeps_a_sound_one(client: httpx.AsyncClient) -> None:
    assert len((await client.get("/healthz")).headers["x-request-id"]) == 16
    given = await client.get("/v1/nothing", headers={"x-request-id": "call-7"})
    assert given.headers["x-request-id"] == "call-7"
    broken = await client.get("/healthz", headers={"x-request-id": "a b"})
    assert broken.headers["x-request-id"] != "a b"


async def test_requests_are_counted_by_route_and_never_by_what_was_asked(client: httpx.AsyncClient) -> None:
    for note in ("7", "8"):
        await client.get(f"/v1/notes/{note}", headers=READER)
    await client.get("/v1/secret-of-a-customer")
    await client.post("/v1/hot", headers=WRITER)
    text = (await client.get("/metrics")).text
    assert 'throughline_http_requests_total{method="GET",route="/v1/notes/{note_id}",status="200"} 2.0' in text
    assert 'throughline_http_requests_total{method="POST",route="/v1/hot",status="202"} 1.0' in text
    assert 'route="unmatched",status="404"' in text
    assert "secret-of-a-customer" not in text


async def test_the_docs_need_no_network(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200
    assert "https://" not in page.text
    for part in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"):
        assert f"/docs/{part}" in page.text
        assert len((await client.get(f"/docs/{part}")).content) > 500


async def test_a_torn_stream_is_not_finished_in_silence(parts: Any) -> None:
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http", "method": "GET", "path": "/v1/torn", "raw_path": b"/v1/torn", "query_string": b"",
        "headers": [], "root_path": "", "scheme": "http", "http_version": "1.1", "state": {},
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def send(message: Any) -> None:
        sent.append(message)

    await parts.app(scope, receive, send)
    assert [message["type"] for message in sent].count("http.response.start") == 1
    assert sent[-1].get("more_body") is True
