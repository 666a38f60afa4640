"""What a record says, and the ways in which it can fail to say anything."""

from __future__ import annotations

from typing import Any

import pytest

from audit.domain.reading import check, folded, read
from chassis.records import Record
from events.codec import Unreadable
from events.lifecycle import ORDER
from tests.audit.given import CONTACT, Writer

DEEP = b'{"a":' + b"[" * 150 + b"]" * 150 + b"}"


def says(record: Record) -> None:
    check(record.topic, read(record.headers, record.value), record.value or b"")


def test_a_record_of_ours_says_what_was_stated() -> None:
    statement = read(*_parts(Writer().event("Routed", {"agent_id": "a-1", "tier": 2}, sequence=3)))
    assert (statement.envelope.type, statement.envelope.subject, statement.envelope.sequence) == ("Routed", "r-1", 3)
    assert statement.data == {"agent_id": "a-1", "tier": 2}


def test_an_unknown_type_is_read_like_any_other() -> None:
    record = Writer().event("Pondered", {"over": ["tea"]})
    says(record)
    assert read(*_parts(record)).envelope.type == "Pondered"


@pytest.mark.parametrize(
    "value",
    [None, b"", b"{", b"[1]", b'"text"', b"\xff{}", b'{"a": NaN}', b'{"a": "\\ud800"}', DEEP],
)
def test_a_value_that_is_no_sound_json_object_cannot_be_read(value: bytes | None) -> None:
    record = Writer().event("Routed")._replace(value=value)
    with pytest.raises(Unreadable):
        says(record)


@pytest.mark.parametrize(
    "change",
    [
        {"id_": "no-uuid"},
        {"id_": "0193512A-7C11-7000-8000-000000000001"},
        {"subject": "a b"},
        {"subject": "x" * 101},
        {"type_": "x" * 201},
    ],
)
def test_what_could_not_be_kept_or_told_again_cannot_be_read(change: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        says(Writer().event(**({"type_": "Routed", "data": {"agent_id": "a"}} | change)))


@pytest.mark.parametrize(
    "data", [{"agent_id": "a\0b"}, {"queue": {"a": ["\0"]}}, {"tier": 2**63}, {"severity": -(2**63) - 1}]
)
def test_a_strangers_numbers_and_texts_that_no_column_holds_are_marked(data: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        says(Writer().event("Foreign", data))


def test_a_backslash_before_u0000_is_text_and_no_nul() -> None:
    says(Writer().event("Foreign", {"agent_id": "a\\u0000b"}))


def test_headers_without_the_attributes_of_an_event_cannot_be_read() -> None:
    with pytest.raises(Unreadable):
        says(Writer().raw([("\udcff", b"x"), ("content-type", None)], b"{}"))


def test_a_header_of_bad_utf8_beside_good_ones_does_no_harm() -> None:
    record = Writer().event("Routed", {"agent_id": "a"}, headers=[("\udcff\udcfe", b"\xff")])
    says(record)


def test_the_subject_of_other_topics_may_be_any_text() -> None:
    says(Writer("knowledge").event("ArticleRetired", {}, subject="how to: reset / a password"))


def test_the_cache_holds_of_the_data_what_the_fold_looks_at() -> None:
    data = CONTACT | {"sealed": {"key_id": "c-1"}, "subject": "hello", "priority": 3, "severity": 2}
    assert folded("ContactReceived", data) == CONTACT | {"severity": 2}
    assert folded("SlaWarned", data) == {}


def test_every_type_of_the_lifecycle_keeps_its_data() -> None:
    assert all(folded(type_, {"reason": "x"}) == {"reason": "x"} for type_ in ORDER)


def _parts(record: Record) -> tuple[Any, bytes | None]:
    return record.headers, record.value
