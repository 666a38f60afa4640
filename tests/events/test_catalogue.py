"""The catalogue is whole: every type has all that belongs to it, and the topics are those of the architecture."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from events import contacts, samples
from events.base import Fact
from events.catalogue import CATALOGUE, TOPICS, EventType, partition_of
from events.imports import IMPORTABLE
from tests.events.strategies import law

every_type = pytest.mark.parametrize("kind", CATALOGUE.values(), ids=CATALOGUE.keys())

STATED = {
    ("contacts", "intake"): "ContactReceived MessageReceived FeedbackReceived",
    (
        "contacts",
        "router",
    ): "Routed OfferClosed Connected Paused Resumed Transferred Requeued Resolved Abandoned Reopened",
    ("contacts", "escalation"): "Escalated SlaWarned SlaBreached SlaMet SlaWithdrawn",
    ("contacts", "kb-search"): "SuggestionShown SuggestionUsed",
    ("agents", "router"): "AgentRegistered AgentUpdated PresenceChanged",
    ("policies", "escalation"): "SlaPolicyVersioned CalendarVersioned",
    ("policies", "router"): "RoutingPolicyVersioned",
    ("knowledge", "kb-search"): "ArticlePublished ArticleRevised ArticleRetired ArticleRated",
    ("keys", "intake"): "KeyMade KeyDestroyed",
    ("audit.checkpoints", "audit"): "CheckpointSigned",
    ("dead-letters", "every consumer"): "RecordParked",
}


def test_every_event_has_its_topic_and_its_owner() -> None:
    found: dict[tuple[str, str], set[str]] = {}
    for kind in CATALOGUE.values():
        found.setdefault((kind.topic, kind.owner), set()).add(kind.name)
    assert found == {place: set(names.split()) for place, names in STATED.items()}


@every_type
def test_a_type_has_a_model_a_sample_and_words(kind: EventType) -> None:
    assert issubclass(kind.model, Fact)
    assert kind.model.__name__ == kind.name
    assert kind.topic in TOPICS
    assert (kind.model.__doc__ or "").strip()
    data = samples.SAMPLES[kind.name]
    assert kind.model.model_validate(data).model_dump(exclude_unset=True) == data


@every_type
def test_a_sample_shows_what_is_particular_to_its_type(kind: EventType) -> None:
    """A sample that says as little as it may would show nobody anything."""
    assert len(samples.SAMPLES[kind.name]) >= min(3, len(kind.model.model_fields))


@every_type
def test_a_record_is_keyed_by_what_the_catalogue_says(kind: EventType) -> None:
    around = samples.envelope(kind.name)
    key = samples.SAMPLES[kind.name].get(kind.key, samples.REQUEST_ID)
    assert (around.subject, around.partition_key) in ((key, key), (samples.REQUEST_ID, samples.REQUEST_ID))
    keyed_from_outside = kind.topic in ("contacts", "dead-letters")
    assert keyed_from_outside or kind.model.model_fields[kind.key].is_required()


def test_no_sample_is_of_an_unknown_type() -> None:
    assert samples.SAMPLES.keys() == CATALOGUE.keys()


def test_no_model_of_the_topic_contacts_was_left_out() -> None:
    stated = {kind.model for kind in CATALOGUE.values()}
    parts = {contacts.Contact, contacts.Message, contacts.Feedback, contacts.Customer, contacts.Context, contacts.Step}
    parts |= {contacts.Candidate, contacts.Decision, contacts.Excluded, contacts.Suggestion}
    exported = {getattr(contacts, name) for name in contacts.__all__ if name != "Channel"}
    assert exported - parts == {model for model in stated if model.__module__.startswith("events.contacts")}


def test_whatever_is_importable_is_an_event_of_a_request() -> None:
    assert all(CATALOGUE[name].topic == "contacts" for name in IMPORTABLE)


def test_only_the_keys_are_compacted() -> None:
    assert [topic.name for topic in TOPICS.values() if topic.compacted] == ["keys"]
    assert [topic.name for topic in TOPICS.values() if topic.partitions == "contacts"] == ["contacts"]
    assert {topic.max_bytes for topic in TOPICS.values()} == {4 * 1024 * 1024}


@law
@given(st.binary(max_size=60), st.integers(1, 64))
def test_a_key_always_lies_in_the_same_partition(key: bytes, count: int) -> None:
    assert partition_of(key, count) == zlib.crc32(key) % count
    assert 0 <= partition_of(key, count) < count


def test_the_partitions_of_known_keys_have_not_moved() -> None:
    assert [partition_of(key, 12) for key in (b"", b"c-42", b"019aa9f2-7c51-7d04-9a3e-5b1f0c2d4e6f")] == [0, 1, 8]


def test_a_policy_of_hours_that_do_not_exist_is_refused() -> None:
    model = CATALOGUE["CalendarVersioned"].model
    bad = samples.SAMPLES["CalendarVersioned"] | {"week": {"mon": [{"start": "8", "end": "25:00"}]}}
    with pytest.raises(ValidationError, match=r"week\.mon\.0\.start"):
        model.model_validate(bad)
