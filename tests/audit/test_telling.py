"""A record as `/v1/events` tells it."""

from __future__ import annotations

from audit.domain.place import Place
from audit.domain.reading import entry_of, read
from audit.domain.telling import MEMBERS, Kept, told
from chassis.records import Record
from events.lifecycle import Entry
from tests.audit.given import Writer, event_id

PLACE = Place(1, "contacts", 3, 117)


def entry(record: Record) -> Entry:
    statement = read(record.headers, record.value)
    return entry_of(statement.envelope, statement.data)


def test_an_event_is_told_with_the_time_that_it_states() -> None:
    record = Writer().event("Routed", {"agent_id": "a"}, id_=event_id(1), sequence=2)
    item = told(Kept(PLACE, "r-1", True, None), entry(record), {"agent_id": "a"})
    assert tuple(item) == MEMBERS
    assert (item["position"], item["event_id"], item["request_id"]) == ("contacts/3/117", event_id(1), "r-1")
    assert (item["occurred_at"], item["raw_occurred_at"]) == ("2023-11-14T22:13:20.000000Z", None)
    assert (item["sequence"], item["data"], item["duplicate"]) == (2, {"agent_id": "a"}, True)


def test_outside_of_requests_there_is_no_request_id() -> None:
    record = Writer("agents").event("PresenceChanged", {})
    assert told(Kept(PLACE, "", False, None), entry(record), {})["request_id"] is None


def test_a_record_that_cannot_be_read_is_told_by_its_place_and_the_reason() -> None:
    item = told(Kept(PLACE, "", False, "its payload is no JSON"), None, None)
    assert tuple(item) == MEMBERS
    assert {name for name, value in item.items() if value is not None} == {"position", "duplicate", "unreadable"}
