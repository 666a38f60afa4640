"""Golden examples: every version that ever stood on the wire is still read, and each type and version has one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from events.catalogue import CATALOGUE
from events.codec import headers_of, read_headers
from events.examples import data_of, example_of
from events.samples import SAMPLES

FOLDER = Path(__file__).resolve().parents[2] / "libs" / "events" / "examples"
GOLDEN = {path.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}

every_example = pytest.mark.parametrize("example", GOLDEN.values(), ids=GOLDEN.keys())


def test_each_version_of_each_type_has_one() -> None:
    versions = {f"{kind.name}.v{number}.json" for kind in CATALOGUE.values() for number in range(1, kind.version + 1)}
    assert GOLDEN.keys() == versions


@every_example
def test_todays_reader_reads_it_as_it_was_meant(example: dict[str, Any]) -> None:
    headers = [(name, value.encode()) for name, value in example["headers"].items()]
    envelope = read_headers(headers)
    assert data_of(example) == example["data"]
    CATALOGUE[envelope.type].model.model_validate(example["data"])
    assert envelope.partition_key == example["key"]
    assert headers_of(envelope) == headers


@every_example
def test_an_old_reader_survives_what_came_later(example: dict[str, Any]) -> None:
    """Headers and members that nobody has thought of yet."""
    later = json.loads(example["payload"]) | {"mood": {"of": ["the", "day"]}}
    headers = example["headers"] | {"ce_dataschema": "urn:x", "ce_mood": "good", "x-hop": "1"}
    read = data_of({"headers": headers, "payload": json.dumps(later)})
    assert read == example["data"] | {"mood": {"of": ["the", "day"]}}


def test_todays_writer_writes_what_the_examples_show() -> None:
    """Byte for byte, where the sample is still the one of the example: a new order or spacing would be seen here."""
    same = [
        kind for kind in CATALOGUE.values() if GOLDEN[f"{kind.name}.v{kind.version}.json"]["data"] == SAMPLES[kind.name]
    ]
    assert same
    for kind in same:
        assert example_of(kind)["payload"] == GOLDEN[f"{kind.name}.v{kind.version}.json"]["payload"]


def test_an_example_that_is_read_otherwise_is_noticed() -> None:
    example = GOLDEN["FeedbackReceived.v1.json"]
    forged = example | {"payload": example["payload"].replace('"score":5', '"score":4')}
    assert data_of(forged) != example["data"]
