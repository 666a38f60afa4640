"""An import's line: what it must hold, and what it is when it does."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from events.imports import IMPORTABLE
from intake.app.importing import LONGEST_LINE, parsed
from intake.domain.lines import Line, read

GOOD: dict[str, Any] = {
    "type": "Connected",
    "request_id": "call-990201.AA0101:44_7",
    "occurred_at": "2001-01-01T01:00:00.5+01:00",
    "data": {"agent_id": "a-1", "tier": None},
}
CAUSE = "0000000A-0000-0000-0000-000000000000"


def line(**changes: Any) -> Line:
    made = read(GOOD | changes)
    assert isinstance(made, Line), made
    return made


def faults(**changes: Any) -> set[str]:
    made = read(GOOD | changes)
    assert isinstance(made, list), made
    assert all(fault.reason for fault in made)
    return {fault.field for fault in made}


def test_a_good_line_is_an_event_at_its_own_time() -> None:
    made = line()
    assert (made.type, made.request_id, made.occurred_us) == ("Connected", GOOD["request_id"], 978_307_200_500_000)
    assert (made.data, made.causation_id) == (GOOD["data"], None)


def test_without_an_event_id_the_content_gives_it() -> None:
    assert line().event_id == line().content == line(event_id=None, causation_id=None).event_id


def test_a_given_event_id_stands_for_the_same_content() -> None:
    given = line(event_id=str(UUID(int=7)))
    assert (given.event_id, given.content) == (UUID(int=7), line().content)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Routed"},
        {"request_id": "call-2"},
        {"occurred_at": "2001-01-01T00:00:00.5Z"},
        {"occurred_at": "2001-01-01T01:00:00.50+01:00"},
        {"data": {"agent_id": "a-1"}},
        {"data": {"agent_id": "a-2", "tier": None}},
        {"causation_id": CAUSE},
    ],
)
def test_any_other_member_as_sent_gives_another_event(change: dict[str, Any]) -> None:
    assert line(**change).event_id != line().event_id


def test_a_cause_is_any_uuid_and_kept_in_lower_case() -> None:
    assert line(causation_id=CAUSE).causation_id == CAUSE.lower()


@pytest.mark.parametrize("name", ["type", "request_id", "occurred_at", "data"])
def test_what_is_required_and_missing_is_named(name: str) -> None:
    made = read({key: value for key, value in GOOD.items() if key != name})
    assert isinstance(made, list)
    assert [fault.field for fault in made] == [name]


def test_every_fault_is_named_at_once() -> None:
    assert faults(request_id="a b", occurred_at="soon", colour="red") == {"request_id", "occurred_at", "colour"}


@pytest.mark.parametrize("event_id", ["", "x", 7, CAUSE, "{00000000-0000-0000-0000-00000000000a}", "0" * 32])
def test_an_event_id_is_a_uuid_in_lower_case(event_id: Any) -> None:
    assert faults(event_id=event_id) == {"event_id"}


@pytest.mark.parametrize("request_id", ["", "a b", "a/b", "ü", "x" * 101, "a\n", None, 5, []])
def test_a_request_id_has_its_letters_and_its_length(request_id: Any) -> None:
    assert faults(request_id=request_id) == {"request_id"}


@pytest.mark.parametrize(
    ("kind", "data", "field"),
    [
        ("ContactReceived", {"channel": "chat", "customer": {}}, "data.customer"),
        ("ContactReceived", {"channel": "chat", "customer": {"id": "c"}, "priority": 101}, "data.priority"),
        ("MessageReceived", {"channel": "fax"}, "data.channel"),
        ("MessageReceived", {"channel": "sms", "subject": "not in an import"}, "data.subject"),
        ("Routed", {}, "data.agent_id"),
        ("Connected", {"agent_id": "a", "colour": 1}, "data.colour"),
        ("OfferClosed", {"reason": "bored"}, "data.reason"),
        ("Paused", {}, "data.reason"),
        ("Transferred", {"to": {"queue": "a", "tier": 2}}, "data.to"),
        ("Transferred", {"to": {"skills": []}}, "data.to.skills"),
        ("Escalated", {"to_tier": "2"}, "data.to_tier"),
        ("Requeued", {"reason": None}, "data.reason"),
        ("Resolved", {"articles": "a"}, "data.articles"),
        ("FeedbackReceived", {"score": 6}, "data.score"),
    ],
)
def test_the_data_are_checked_by_their_type(kind: str, data: dict[str, Any], field: str) -> None:
    assert faults(type=kind, data=data) == {field}


def test_every_importable_type_can_be_imported() -> None:
    least: dict[str, dict[str, Any]] = {
        "ContactReceived": {"channel": "chat", "customer": {"id": "c"}},
        "MessageReceived": {"channel": "sms"},
        "Routed": {"agent_id": "a"},
        "Connected": {"agent_id": "a"},
        "OfferClosed": {"reason": "declined"},
        "Paused": {"reason": "hold"},
        "Transferred": {"to": {"tier": 2}},
        "Escalated": {"to_tier": 2},
        "Requeued": {"reason": "classified"},
        "FeedbackReceived": {"score": 1},
    }
    for kind in IMPORTABLE:
        assert line(type=kind, data=least.get(kind, {})).type == kind


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"[1]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"type": ', "is not JSON"),
        (b"\xff", "is not JSON"),
        (b'{"a":"\\ud800"}', "is not JSON"),
        (b'{"a":"\\u0000"}', "NUL"),
        (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", "nested deeper"),
        (b'{"a":"' + b"x" * LONGEST_LINE + b'"}', "longer than"),
        (b'{"a":"' + b"\\u007f" * LONGEST_LINE + b'"}', "longer than"),
    ],
)
def test_what_is_no_line_at_all_is_told_why(raw: bytes, says: str) -> None:
    made = parsed(raw)
    assert isinstance(made, list)
    assert says in made[0].reason


def test_a_line_is_as_long_as_its_content_however_it_is_escaped() -> None:
    contact = {"channel": "chat", "customer": {"id": "c-1"}, "body": "\x7f" * (LONGEST_LINE // 2)}
    sent = {"type": "ContactReceived", "request_id": "r-1", "occurred_at": "2026-11-16T09:00:00Z", "data": contact}
    raw = json.dumps(sent).encode()
    assert len(raw) > 2 * LONGEST_LINE
    assert isinstance(parsed(raw), Line)
