"""Every refusal has its row, its status and its headers."""

import json
from collections.abc import Iterator
from typing import Annotated

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, ValidationError

from chassis import errors
from chassis.errors import Conflict, Invalid, Overloaded, Refused, Unavailable
from chassis.problems import STATUS, from_pydantic, problem, to_object


def refusals(of: type[Refused] = Refused) -> Iterator[type[Refused]]:
    for kind in of.__subclasses__():
        yield kind
        yield from refusals(kind)


def test_every_refusal_has_a_row_and_no_row_is_without_one() -> None:
    assert {kind.code for kind in refusals() if kind.__module__ == errors.__name__} == STATUS.keys()


def test_nothing_but_unavailable_is_a_5xx() -> None:
    assert {code for code, status in STATUS.items() if status >= 500} == {"unavailable"}


def test_the_object_has_the_members_of_rfc_9457_and_those_of_its_kind() -> None:
    assert to_object(Conflict("it is connected", state="connected", holder="a-7")) == {
        "type": "/problems/conflict",
        "title": Conflict.title,
        "status": 409,
        "detail": "it is connected",
        "state": "connected",
        "holder": "a-7",
    }


@pytest.mark.parametrize("refused", [Overloaded(retry_after_s=3), Unavailable("no database", retry_after_s=3)])
def test_who_shall_come_again_is_told_when(refused: Refused) -> None:
    answer = problem(refused)
    assert (answer.status_code, answer.headers["retry-after"]) == (STATUS[refused.code], "3")
    assert answer.media_type == "application/problem+json"
    assert json.loads(bytes(answer.body))["status"] == answer.status_code


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    at: int


class Outer(BaseModel):
    steps: list[Inner]


def test_fields_are_named_by_their_path_and_what_was_sent_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as raised:
        Outer.model_validate({"steps": [{"at": 1}, {"at": "a secret", "to": 1}]})
    found = from_pydantic(raised.value, under="data")
    assert isinstance(found, Invalid)
    assert [error["field"] for error in found.errors] == ["data.steps.1.at", "data.steps.1.to"]
    assert "a secret" not in str(found.errors)


def test_a_validator_of_ours_is_quoted_without_anything_before() -> None:
    def odd(number: int) -> int:
        if number % 2:
            return number
        raise ValueError("must be odd")

    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Annotated[int, AfterValidator(odd)]).validate_python(2)
    assert from_pydantic(caught.value, under="n").errors == [{"field": "n", "reason": "must be odd"}]
