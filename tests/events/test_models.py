"""What the models take and what they refuse, with the field's path in the error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from events.base import MAX_DEPTH, Fact
from events.catalogue import CATALOGUE
from events.contacts import Contact, Message
from events.imports import IMPORTABLE
from events.samples import CONTACT, FEEDBACK, MESSAGE, SAMPLES
from tests.events.strategies import DEEPEST, TOO_DEEP

SOMEBODY = {"channel": "chat", "customer": {"id": "c"}}
HALF_A_PAIR = "half a pair \ud800"


def refusals(model: type[Fact], data: dict[str, Any]) -> dict[str, str]:
    """Path → reason of all that is wrong."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(data)
    return {".".join(map(str, error["loc"])): error["msg"] for error in caught.value.errors()}


@pytest.mark.parametrize("body", [CONTACT, SOMEBODY, SOMEBODY | dict.fromkeys(["continues", "thread", "occurred_at"])])
def test_a_contact_as_the_contract_has_it_is_taken(body: dict[str, Any]) -> None:
    contact = Contact.model_validate_json(json.dumps(body))
    assert contact.model_dump(exclude_unset=True) == body


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"channel": "pigeon"}, "channel"),
        ({"channel": None}, "channel"),
        ({"customer": None}, "customer"),
        ({"customer": "c-1"}, "customer"),
        ({"customer": {}}, "customer"),
        ({"customer": {"name": "no identifier"}}, "customer"),
        ({"customer": {"id": ""}}, "customer"),
        ({"customer": {"id": "c", "shoe_size": 43}}, "customer.shoe_size"),
        ({"customer": {"id": 7}}, "customer.id"),
        ({"colour": "red"}, "colour"),
        ({"severity": 0}, "severity"),
        ({"severity": 5}, "severity"),
        ({"severity": "3"}, "severity"),
        ({"severity": 3.0}, "severity"),
        ({"severity": True}, "severity"),
        ({"priority": -1}, "priority"),
        ({"priority": 101}, "priority"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": 7}, "occurred_at"),
        ({"queue": ""}, "queue"),
        ({"skills": "billing"}, "skills"),
        ({"skills": ["billing", ""]}, "skills.1"),
        ({"continues": "a b"}, "continues"),
        ({"continues": "x" * 101}, "continues"),
        ({"context": {"browser": "x"}}, "context.browser"),
        ({"session": [{"action": "search", "at": "noon"}]}, "session.0.at"),
        ({"session": [{"detail": "x"}]}, "session.0.action"),
        ({"attributes": []}, "attributes"),
        ({"customer_id": "c-1"}, "customer_id"),
    ],
)
def test_a_contact_is_refused_with_the_path_of_the_field(change: dict[str, Any], field: str) -> None:
    assert list(refusals(Contact, SOMEBODY | change)) == [field]


@pytest.mark.parametrize("missing", ["channel", "customer"])
def test_a_contact_without_what_it_needs_is_refused(missing: str) -> None:
    assert list(refusals(Contact, {key: value for key, value in SOMEBODY.items() if key != missing})) == [missing]


@pytest.mark.parametrize("kind", sorted(IMPORTABLE))
def test_what_can_be_imported_can_be_stated_live(kind: str) -> None:
    """The model on the wire has every member of the import's, and takes the least that the import takes."""
    imported, live = IMPORTABLE[kind], CATALOGUE[kind].model
    assert imported.model_fields.keys() <= live.model_fields.keys()
    least = {name: SAMPLES[kind][name] for name, field in imported.model_fields.items() if field.is_required()}
    assert imported.model_validate(least).model_dump(exclude_unset=True) == least
    assert live.model_validate(least).model_dump(exclude_unset=True) == least


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("MessageReceived", "channel* body"),
        ("Routed", "agent_id* queue tier leg"),
        ("Connected", "agent_id* queue tier leg"),
        ("OfferClosed", "reason* agent_id"),
        ("Paused", "reason* agent_id"),
        ("Transferred", "to* by note"),
        ("Escalated", "to_tier* from_tier reason by"),
        ("Requeued", "reason* tier queue agent_id"),
        ("Resumed", "agent_id code summary articles reason by"),
        ("Resolved", "agent_id code summary articles reason by"),
        ("Abandoned", "agent_id code summary articles reason by"),
        ("Reopened", "agent_id code summary articles reason by"),
        ("FeedbackReceived", "score* text"),
    ],
)
def test_an_import_has_just_the_members_of_the_contract(kind: str, members: str) -> None:
    fields = IMPORTABLE[kind].model_fields
    assert {name + "*" * field.is_required() for name, field in fields.items()} == set(members.split())


@pytest.mark.parametrize(
    ("kind", "data", "field"),
    [
        ("Connected", {"agent_id": "a-1", "colour": "red"}, "colour"),
        ("Routed", {}, "agent_id"),
        ("Connected", {"agent_id": None}, "agent_id"),
        ("Routed", {"agent_id": "a", "tier": 5}, "tier"),
        ("Routed", {"agent_id": "a", "tier": 0}, "tier"),
        ("Routed", {"agent_id": "a", "leg": -1}, "leg"),
        ("MessageReceived", {"channel": "fax"}, "channel"),
        ("OfferClosed", {}, "reason"),
        ("OfferClosed", {"reason": "bored"}, "reason"),
        ("Paused", {"reason": None}, "reason"),
        ("Requeued", {"reason": "bored"}, "reason"),
        ("Transferred", {}, "to"),
        ("Transferred", {"to": "a-1"}, "to"),
        ("Transferred", {"to": {}}, "to"),
        ("Transferred", {"to": {"agent_id": "a", "queue": "q"}}, "to"),
        ("Transferred", {"to": {"queue": None}}, "to"),
        ("Transferred", {"to": {"skills": []}}, "to.skills"),
        ("Transferred", {"to": {"tier": 9}}, "to.tier"),
        ("Transferred", {"to": {"team": "x"}}, "to.team"),
        ("Escalated", {}, "to_tier"),
        ("Escalated", {"to_tier": "two"}, "to_tier"),
        ("Resolved", {"articles": "x"}, "articles"),
        ("FeedbackReceived", {"score": None}, "score"),
        ("FeedbackReceived", {"score": 0}, "score"),
        ("FeedbackReceived", {"score": 6}, "score"),
        ("FeedbackReceived", {"score": "good"}, "score"),
    ],
)
def test_a_bad_import_is_refused_with_the_path_of_the_field(kind: str, data: dict[str, Any], field: str) -> None:
    assert list(refusals(IMPORTABLE[kind], data)) == [field]


@pytest.mark.parametrize("leg", [0, 1, 99])
def test_the_leg_of_a_foreign_system_is_only_a_remark(leg: int) -> None:
    said = {"agent_id": "a", "leg": leg}
    assert IMPORTABLE["Routed"].model_validate(said).model_dump(exclude_unset=True) == said


@pytest.mark.parametrize("to", [{"agent_id": "a"}, {"queue": "q"}, {"skills": ["s"]}, {"tier": 4}])
def test_a_transfer_goes_to_any_one_of_the_four(to: dict[str, Any]) -> None:
    assert IMPORTABLE["Transferred"].model_validate({"to": to}).model_dump(exclude_unset=True) == {"to": to}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"body": "a\0b"}, "body"),
        ({"body": HALF_A_PAIR}, "body"),
        ({"customer": {"id": "c\0"}}, "customer.id"),
        ({"customer": {"id": HALF_A_PAIR}}, "customer.id"),
        ({"skills": ["ok", "a\0b"]}, "skills.1"),
        ({"attributes": {"a": [{"b": "\0"}]}}, "attributes"),
        ({"attributes": {"a": {"nul\0": 1}}}, "attributes"),
        ({"attributes": {"a": HALF_A_PAIR}}, "attributes"),
        ({"attributes": {HALF_A_PAIR: 1}}, "attributes"),
        ({"attributes": {"a": float("nan")}}, "attributes"),
        ({"attributes": {"a": float("inf")}}, "attributes"),
        ({"attributes": {"a": {1, 2}}}, "attributes"),
        ({"attributes": TOO_DEEP}, "attributes"),
    ],
)
def test_what_a_store_cannot_keep_is_refused_wherever_it_stands(change: dict[str, Any], field: str) -> None:
    found = refusals(Contact, SOMEBODY | change)
    assert list(found) == [field]
    found[field].encode()  # the reason itself can be written down


def test_the_reason_tells_where_in_a_free_object_it_stands() -> None:
    found = refusals(Contact, SOMEBODY | {"attributes": {"a": [1, {"b": "\0"}]}})
    assert found == {"attributes": "at a[1].b: must not hold NUL characters"}
    found = refusals(Contact, SOMEBODY | {"attributes": TOO_DEEP})
    assert f"deeper than {MAX_DEPTH} levels" in found["attributes"]


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        DEEPEST,
        {"n": 10**40, "f": -0.5, "none": None, "yes": True, "odd": "\ufeff\u2028\x7f\ufffe \U0001f468\u200d\U0001f469"},
    ],
)
def test_a_free_object_is_kept_as_sent(attributes: dict[str, Any]) -> None:
    assert Contact.model_validate(SOMEBODY | {"attributes": attributes}).attributes == attributes


@pytest.mark.parametrize("score", [float("nan"), float("inf"), "high"])
def test_a_score_is_a_number(score: Any) -> None:
    suggestion = {"article_id": "x", "revision": 1, "score": score}
    assert list(refusals(CATALOGUE["SuggestionShown"].model, {"suggestions": [suggestion]})) == ["suggestions.0.score"]


def test_an_endless_nesting_ends_in_a_refusal_not_in_a_crash() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"in": deep}
    assert list(refusals(Contact, SOMEBODY | {"attributes": deep})) == ["attributes"]
    with pytest.raises(ValidationError):
        Contact.model_validate_json(b'{"attributes":' + b"[" * 100_000)


def test_an_error_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(ValidationError) as caught:
        Contact.model_validate(SOMEBODY | {"body": ["4929 0000 0000 0042"]})
    assert "4929" not in str(caught.value)


@pytest.mark.parametrize(("model", "body"), [(Message, MESSAGE), (CATALOGUE["FeedbackReceived"].model, FEEDBACK)])
def test_the_bodies_in_the_samples_are_taken(model: type[Fact], body: dict[str, Any]) -> None:
    assert model.model_validate(body).model_dump(exclude_unset=True) == body


def test_a_contact_that_continues_can_be_stated_as_a_message() -> None:
    """Whatever a contact holds has a place in MessageReceived, which it becomes where it continues a request."""
    live = CATALOGUE["MessageReceived"].model
    assert live.model_validate(CONTACT | {"continues": "r-1"}).model_dump(exclude_unset=True) == CONTACT | {
        "continues": "r-1"
    }


def test_a_fact_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Contact.model_validate(SOMEBODY).channel = "email"
