"""Which members are personal, and that taking them out and putting them back loses nothing."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from hypothesis import given

from events.base import PERSONAL, Fact, Text
from events.catalogue import CATALOGUE
from events.contacts import Customer
from events.personal import Plan, merge, plan_of, split
from events.samples import SAMPLES
from tests.events.strategies import json_objects, law, stated

CUSTOMER = {"name", "email", "phone", "handle"}
SAID = {"subject", "body", "session", "thread", "attributes"}
MARKED = {
    "ContactReceived": SAID | {f"customer.{name}" for name in CUSTOMER},
    "MessageReceived": SAID | {f"customer.{name}" for name in CUSTOMER},
    "FeedbackReceived": {"text"},
    "OfferClosed": {"note"},
    "Paused": {"note"},
    "Transferred": {"note"},
    "Escalated": {"reason"},
    "Resumed": {"summary", "reason"},
    "Resolved": {"summary", "reason"},
    "Abandoned": {"summary", "reason"},
    "Reopened": {"summary", "reason"},
}
PLAN: Plan = {"body": None, "customer": {"name": None, "home": {"street": None}}}


def paths(plan: Plan, above: str = "") -> set[str]:
    """`customer.name` and the like."""
    found: set[str] = set()
    for name, part in plan.items():
        found |= {above + name} if part is None else paths(part, f"{above}{name}.")
    return found


def test_just_these_members_are_personal() -> None:
    assert {name: paths(plan) for name, kind in CATALOGUE.items() if (plan := plan_of(kind.model))} == MARKED


@pytest.mark.parametrize("name", sorted(MARKED))
def test_no_personal_member_is_required(name: str) -> None:
    """Else a sealed payload would not be valid, and an erased person would break the event."""
    for path in MARKED[name]:
        owner, _, member = path.rpartition(".")
        model = Customer if owner else CATALOGUE[name].model
        assert not model.model_fields[member].is_required()


def test_no_event_has_a_member_in_the_place_of_the_sealed_one() -> None:
    assert all("sealed" not in kind.model.model_fields for kind in CATALOGUE.values())


@law
@given(stated())
def test_what_was_split_is_merged_to_the_same(said: tuple[str, dict[str, Any]]) -> None:
    name, data = said
    public, personal = split(plan_of(CATALOGUE[name].model), data)
    assert merge(public, personal) == data


@law
@given(json_objects, json_objects, json_objects)
def test_any_object_is_merged_to_the_same(data: dict[str, Any], customer: dict[str, Any], home: dict[str, Any]) -> None:
    whole = data | {"customer": customer | {"home": home | {"street": "x"}}}
    assert merge(*split(PLAN, whole)) == whole


def test_nothing_personal_stays_behind() -> None:
    public, personal = split(plan_of(CATALOGUE["ContactReceived"].model), SAMPLES["ContactReceived"])
    assert public["customer"] == {"id": "c-42"}
    assert not SAID & public.keys()
    assert personal["customer"].keys() == {"name", "email", "handle"}


@pytest.mark.parametrize(
    ("data", "public", "personal"),
    [
        ({"body": None}, {}, {"body": None}),
        ({"customer": None}, {"customer": None}, {}),
        ({"customer": {}}, {"customer": {}}, {}),
        ({"customer": {"name": None}}, {"customer": {}}, {"customer": {"name": None}}),
        ({"customer": "no object"}, {"customer": "no object"}, {}),
        ({"customer": {"home": {"street": "x"}}}, {"customer": {"home": {}}}, {"customer": {"home": {"street": "x"}}}),
    ],
)
def test_nulls_and_empty_objects_keep_their_place(data: Any, public: Any, personal: Any) -> None:
    assert split(PLAN, data) == (public, personal)
    assert merge(public, personal) == data


def test_split_leaves_what_it_was_given_as_it_is() -> None:
    data = {"body": "x", "customer": {"name": "n"}}
    split(PLAN, data)
    assert data == {"body": "x", "customer": {"name": "n"}}


class _Line(Fact):
    said: Annotated[Text, PERSONAL]


class _Talk(Fact):
    lines: list[_Line]


class _Book(Fact):
    by_day: dict[str, _Line] | None = None


@pytest.mark.parametrize("model", [_Talk, _Book])
def test_a_mark_that_could_not_be_sealed_is_refused(model: type[Fact]) -> None:
    with pytest.raises(TypeError, match=r"(lines|by_day): personal members"):
        plan_of(model)
