"""The AsyncAPI document: valid, whole, and the one that is committed.

Its structure is judged by the models of the package asyncapi3; what these do not look at, we check here: every
reference leads somewhere, every payload schema is one, every example fits its schema.
"""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel, ValidationError

from events.asyncapi import document
from events.catalogue import CATALOGUE, TOPICS

with warnings.catch_warnings():
    # Its models name a field "schema", of which pydantic warns when it is imported.
    warnings.simplefilter("ignore", UserWarning)
    from asyncapi3.models.asyncapi import AsyncAPI3

JUDGE: type[BaseModel] = AsyncAPI3
DOCUMENT = document(version("throughline-events"))
Change = Callable[[dict[str, Any]], object]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def follow(reference: str) -> Any:
    node: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def test_it_is_valid() -> None:
    JUDGE.model_validate(DOCUMENT)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("info"),
        lambda d: d.update(mood="good"),
        lambda d: d["channels"]["contacts"].update(mood="good"),
        lambda d: d["channels"]["contacts"]["bindings"]["kafka"].update(mood="good"),
        lambda d: d["operations"]["router-states-contacts"].update(action="shout"),
        lambda d: d["operations"]["router-states-contacts"].pop("channel"),
        lambda d: d["components"]["messages"]["Routed"].update(mood="good"),
    ],
)
def test_the_judge_sees_what_is_not_valid(change: Change) -> None:
    forged = copy.deepcopy(DOCUMENT)
    change(forged)
    with pytest.raises(ValidationError):
        JUDGE.model_validate(forged)


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert len(found) > len(CATALOGUE)
    assert all(follow(reference) for reference in found)


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_a_message_has_a_payload_that_its_example_fits(name: str) -> None:
    message = DOCUMENT["components"]["messages"][name]
    schema = message["payload"] | {"components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator.check_schema(follow(message["payload"]["$ref"]))
    validator = jsonschema.Draft202012Validator(schema)
    for example in message["examples"]:
        validator.validate(example["payload"])
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"mood": "good"})


def test_every_topic_is_a_channel_with_just_its_messages() -> None:
    channels = {channel["address"]: set(channel["messages"]) for channel in DOCUMENT["channels"].values()}
    stated = {topic: {kind.name for kind in CATALOGUE.values() if kind.topic == topic} for topic in TOPICS}
    assert channels == stated


def test_every_event_is_stated_by_its_owner() -> None:
    for kind in CATALOGUE.values():
        operation = DOCUMENT["operations"][f"{kind.owner}-states-{kind.topic}".replace(" ", "-").replace(".", "-")]
        channel = operation["channel"]["$ref"]
        assert {"$ref": f"{channel}/messages/{kind.name}"} in operation["messages"]


def test_the_committed_document_is_this_one() -> None:
    path = Path(__file__).resolve().parents[2] / "docs" / "asyncapi.json"
    assert json.loads(path.read_text()) == DOCUMENT
