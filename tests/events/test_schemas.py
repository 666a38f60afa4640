"""The committed schemas are those of the models, and no change of one can break a reader unseen.

Two judges look at each change: our own rule (only optional members may be added), which `write` obeys, and
jsonsubschema, which proves that all that the writer may write (closed) is taken by the reader (open), both ways.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import jsonschema
import pytest
from pydantic import Field

from events.catalogue import CATALOGUE, EventType
from events.compatibility import breaks
from events.contacts import FeedbackReceived
from events.examples import example_of
from events.samples import SAMPLES
from events.schemas import schema_of

with warnings.catch_warnings():
    # Its source has escapes that Python warns of where it compiles it for the first time.
    warnings.simplefilter("ignore")
    from jsonsubschema import isSubschema

LIBRARY = Path(__file__).resolve().parents[2] / "libs" / "events"
Schema = dict[str, Any]
Change = Callable[[Schema], object]

every_type = pytest.mark.parametrize("kind", CATALOGUE.values(), ids=CATALOGUE.keys())


def committed(kind: EventType) -> Schema:
    schema: Schema = json.loads((LIBRARY / "schemas" / f"{kind.name}.v{kind.version}.json").read_text())
    return schema


def proven(old: Schema, new: Schema) -> bool:
    """Whether new readers take all old events and old readers all new ones, as jsonsubschema proves it."""
    forward = isSubschema(plain(old), plain(new, reader=True))
    return bool(forward and isSubschema(plain(new), plain(old, reader=True)))


def plain(schema: Schema, *, reader: bool = False) -> Schema:
    """Without references, remarks and formats, which the prover does not know; a reader takes unknown members."""
    inlined_schema: Schema = inlined(schema, schema.get("$defs", {}), reader=reader)
    return inlined_schema


def inlined(node: Any, definitions: Schema, *, reader: bool) -> Any:
    if isinstance(node, list):
        return [inlined(item, definitions, reader=reader) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return inlined(definitions[node["$ref"].rpartition("/")[2]], definitions, reader=reader)
    dropped = {"$defs", "$id", "$schema", "title", "description", "default", "format", "contentEncoding", "x-personal"}
    dropped |= {"additionalProperties"} if reader and node.get("additionalProperties") is False else set()
    kept: Schema = {}
    for word, value in node.items():
        if word == "properties":
            kept[word] = {name: inlined(item, definitions, reader=reader) for name, item in value.items()}
        elif word not in dropped:
            kept[word] = inlined(value, definitions, reader=reader)
    return kept


@every_type
def test_the_committed_schema_is_the_models(kind: EventType) -> None:
    assert committed(kind) == schema_of(kind)


@every_type
def test_a_schema_is_one_and_takes_the_sample_open_and_sealed(kind: EventType) -> None:
    schema = schema_of(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(SAMPLES[kind.name])
    validator.validate(json.loads(example_of(kind)["payload"]))
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(SAMPLES[kind.name] | {"mood": "good"})


@every_type
def test_the_models_are_compatible_with_what_was_committed(kind: EventType) -> None:
    assert breaks(committed(kind), schema_of(kind)) == []


@every_type
def test_the_prover_agrees(kind: EventType) -> None:
    assert proven(committed(kind), schema_of(kind))


class FeedbackReceivedOtherwise(FeedbackReceived):
    """A model that somebody changed without a thought for old readers."""

    score: Annotated[int, Field(ge=1, le=10)]
    mood: str


def test_a_model_that_would_break_readers_is_caught() -> None:
    kind = CATALOGUE["FeedbackReceived"]
    found = breaks(committed(kind), schema_of(dataclasses.replace(kind, model=FeedbackReceivedOtherwise)))
    assert sorted(found) == [
        "#/properties/score/maximum: 5 became 10",
        "#/required: mood became required, or is not any more",
    ]


def add_optional(schema: Schema) -> None:
    schema["properties"]["mood"] = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}


def add_optional_object(schema: Schema) -> None:
    schema["$defs"] = {
        "Mood": {"type": "object", "properties": {"of": {"type": "string"}}, "additionalProperties": False}
    }
    schema["properties"]["mood"] = {"anyOf": [{"$ref": "#/$defs/Mood"}, {"type": "null"}], "default": None}


def add_required(schema: Schema) -> None:
    schema["properties"]["mood"] = {"type": "string"}
    schema["required"].append("mood")


def remark(schema: Schema) -> None:
    schema["description"] = "Other words."


COMPATIBLE: list[Change] = [
    add_optional,
    add_optional_object,
    remark,
    lambda schema: schema["properties"]["score"].update(title="Stars"),
]
BREAKING: dict[str, Change] = {
    "a member is required": add_required,
    "a member is not required any more": lambda schema: schema.pop("required"),
    "another type": lambda schema: schema["properties"].update(score={"type": "string"}),
    "a narrower range": lambda schema: schema["properties"]["score"].update(maximum=4),
    "a wider range": lambda schema: schema["properties"]["score"].update(maximum=10),
    "no range": lambda schema: schema["properties"]["score"].pop("maximum"),
    "one kind more": lambda schema: schema["properties"]["text"]["anyOf"].append({"type": "integer"}),
    "one kind less": lambda schema: schema["properties"]["text"]["anyOf"].pop(),
}


@pytest.mark.parametrize("change", COMPATIBLE)
def test_what_breaks_nobody_is_let_through_by_both_judges(change: Change) -> None:
    old, new = feedback_changed(change)
    assert breaks(old, new) == []
    assert proven(old, new)


@pytest.mark.parametrize("change", BREAKING.values(), ids=BREAKING.keys())
def test_what_breaks_a_reader_is_refused_by_both_judges(change: Change) -> None:
    old, new = feedback_changed(change)
    assert breaks(old, new)
    assert not proven(old, new)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("PresenceChanged", lambda schema: schema["properties"]["status"]["enum"].append("lunch")),
        ("PresenceChanged", lambda schema: schema["properties"]["status"]["enum"].pop()),
        ("Transferred", lambda schema: schema["$defs"]["Target"]["properties"]["tier"]["anyOf"][0].update(maximum=9)),
        ("Routed", lambda schema: schema["$defs"]["Candidate"]["required"].append("name")),
    ],
)
def test_a_break_is_found_however_deep_it_lies(name: str, change: Change) -> None:
    old = committed(CATALOGUE[name])
    new = copy.deepcopy(old)
    change(new)
    assert breaks(old, new)
    assert not proven(old, new)


def test_a_member_that_goes_is_a_break_though_an_open_reader_would_bear_it() -> None:
    old, new = feedback_changed(lambda schema: schema["properties"].pop("text"))
    assert breaks(old, new) == ["#/properties/text: was removed"]


def test_a_personal_member_cannot_become_public_under_the_same_version() -> None:
    old, new = feedback_changed(lambda schema: schema["properties"]["text"].pop("x-personal"))
    assert breaks(old, new) == ["#/properties/text/x-personal: was removed"]


def feedback_changed(change: Change) -> tuple[Schema, Schema]:
    old = committed(CATALOGUE["FeedbackReceived"])
    new = copy.deepcopy(old)
    change(new)
    return old, new
