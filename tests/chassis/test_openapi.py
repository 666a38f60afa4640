"""The document tells all routes, the hand-registered too, and the errors as they are."""

from typing import Any

import pytest
from pydantic import BaseModel

from chassis import web


class Part(BaseModel):
    size: int


class Whole(BaseModel):
    part: Part


@pytest.fixture
def whole(parts: Any) -> dict[str, Any]:
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Whole"}}}}
    web.document(
        parts.app, "/v1/hot", "POST", {"requestBody": body, "responses": {"202": {"description": "Taken"}}}, [Whole]
    )
    document: dict[str, Any] = parts.app.openapi()
    return document


def test_a_hand_registered_route_stands_beside_the_others(whole: dict[str, Any]) -> None:
    assert {"/v1/hot", "/v1/notes/{note_id}"} <= whole["paths"].keys()
    hot = whole["paths"]["/v1/hot"]["post"]
    assert hot["operationId"] == "v1_hot_post"
    assert hot["responses"].keys() >= {"202", "401", "403", "422", "503"}
    assert {"Whole", "Part", "Note", "Problem"} <= whole["components"]["schemas"].keys()


def test_every_error_is_told_as_a_problem_and_never_as_the_frameworks(whole: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in str(whole)
    for item in whole["paths"].values():
        for operation in item.values():
            for status, response in operation["responses"].items():
                if status >= "4":
                    assert list(response["content"]) == ["application/problem+json"]


def test_every_operation_asks_for_a_token(whole: dict[str, Any]) -> None:
    for item in whole["paths"].values():
        for operation in item.values():
            assert operation["security"] == [{"token": []}]


def test_every_reference_leads_somewhere(whole: dict[str, Any]) -> None:
    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    for reference in references(whole):
        assert reference.removeprefix("#/components/schemas/") in whole["components"]["schemas"]


def test_an_operation_is_headed_by_what_it_does_and_stands_under_what_it_is_about(parts: Any) -> None:
    routes = web.router()

    @routes.get("/v1/things")
    async def every() -> None:
        """All things, by
        their ids. None is left out.
        """

    parts.app.include_router(routes)
    shown = parts.app.openapi()["paths"]["/v1/things"]["get"]
    assert (shown["summary"], shown["description"]) == ("All things, by their ids", "None is left out.")
    assert shown["tags"] == ["things"]
