"""The JSON object that users read, member by member."""

import json

import pytest

from events.lifecycle import Entry, Life, fold, timeline
from events.lifecycle.samples import received, said
from events.times import to_text

NOON = 1_700_000_000_000_000


def shown(given: list[Entry], as_of_us: int = NOON) -> dict[str, object]:
    return timeline(fold(given), request_id="r-1", as_of_us=as_of_us, open_data=lambda entry: entry.data)


PLAIN = [
    received(NOON, queue="billing"),
    said("Routed", NOON + 1, agent_id="a-1", cause=f"ContactReceived@{NOON}"),
    said("Connected", NOON + 3, agent_id="a-1"),
    said("Resolved", NOON + 6, code="done"),
]


def test_a_plain_life_reads_as_agreed() -> None:
    for sequence, entry in enumerate(PLAIN):
        entry.position, entry.sequence = f"contacts/3/{sequence}", max(sequence, 1)
    at = {seconds: f"2023-11-14T22:13:20.{seconds:06}Z" for seconds in (0, 1, 3, 6)}
    place = {"leg": 1, "cycle": 1, "queue": "billing", "tier": 1, "reason": None}
    assert shown(PLAIN) == {
        "request_id": "r-1",
        "customer_id": "c-42",
        "channel": "voice",
        "state": "resolved",
        "complete": True,
        "missing": [],
        "received_at": at[0],
        "routed_at": at[1],
        "connected_at": at[3],
        "resolved_at": at[6],
        "durations": {
            "received_to_routed_us": 1,
            "routed_to_connected_us": 2,
            "connected_to_resolved_us": 3,
            "received_to_resolved_us": 6,
        },
        "time_in": {
            "waiting_us": 1,
            "offered_us": 2,
            "connected_us": 3,
            "paused_us": 0,
            "resolved_us": 0,
            "abandoned_us": 0,
        },
        "metrics": {
            "time_to_right_agent_us": 1,
            "speed_of_answer_us": 3,
            "queue_wait_us": 1,
            "offer_us": 2,
            "handle_us": 3,
            "requester_wait_us": 3,
            "agent_work_us": 3,
            "first_resolution_us": 6,
            "full_resolution_us": 6,
            "net_resolution_us": 6,
            "abandon_us": None,
            "intake_us": None,
            "cycle_resolution_us": [6],
        },
        "counts": {
            "offers": 1,
            "declines": 0,
            "expiries": 0,
            "transfers": 0,
            "escalations": 0,
            "reopens": 0,
            "agents": 1,
        },
        "legs": [
            {
                "leg": 1,
                "cycle": 1,
                "tier": 1,
                "queue": "billing",
                "agent_id": "a-1",
                "opened_at": at[0],
                "opened_by": "ContactReceived",
                "routed_at": at[1],
                "connected_at": at[3],
                "closed_at": at[6],
                "closed_by": "Resolved",
                "handle_us": 3,
            }
        ],
        "segments": [
            {"state": "waiting", "start": at[0], "end": at[1], "us": 1, "agent_id": None} | place,
            {"state": "offered", "start": at[1], "end": at[3], "us": 2, "agent_id": "a-1"} | place,
            {"state": "connected", "start": at[3], "end": at[6], "us": 3, "agent_id": "a-1"} | place,
            {"state": "resolved", "start": at[6], "end": None, "us": None, "agent_id": None} | place,
        ],
        "events": [
            {
                "position": f"contacts/3/{number}",
                "event_id": entry.event_id,
                "request_id": "r-1",
                "type": entry.type,
                "occurred_at": at[after],
                "raw_occurred_at": None,
                "source": entry.source,
                "sequence": max(number, 1),
                "causation_id": entry.causation_id,
                "data": entry.data,
                "effect": "applied",
            }
            for number, (entry, after) in enumerate(zip(PLAIN, at, strict=True))
        ],
        "tags": [],
        "as_of": at[0],
        "residual_us": 0,
    }


def test_the_object_is_plain_json() -> None:
    assert json.loads(json.dumps(shown(PLAIN))) == shown(PLAIN)


def test_a_raised_event_shows_its_effective_and_its_stated_time() -> None:
    late = said("Routed", NOON - 9, agent_id="a", cause=f"ContactReceived@{NOON}")
    events = shown([received(NOON), late])["events"]
    assert isinstance(events, list)
    assert [event["occurred_at"] for event in events] == [to_text(NOON), to_text(NOON)]
    assert [event["raw_occurred_at"] for event in events] == [None, to_text(NOON - 9)]


def test_missing_events_are_objects_of_source_and_sequence() -> None:
    assert shown([received(NOON), said("Routed", NOON + 1, agent_id="a", sequence=2)])["missing"] == [
        {"source": "/services/router", "sequence": 1}
    ]


def test_a_reader_sees_only_the_data_that_is_opened_for_him() -> None:
    life: Life = fold([received(NOON, body="secret")])
    seen = timeline(life, request_id="r-1", as_of_us=NOON, open_data=lambda entry: {"channel": entry.data["channel"]})
    assert seen["events"][0]["data"] == {"channel": "voice"}
    assert seen["customer_id"] == "c-42"


def test_a_history_without_its_contact_is_all_nulls_zeros_and_remarks() -> None:
    seen = shown([said("Connected", NOON, agent_id="a")])
    nulls = ("state", "channel", "customer_id", "received_at", "routed_at", "connected_at", "resolved_at")
    assert {name: seen[name] for name in nulls} == dict.fromkeys(nulls)
    assert seen["time_in"] == dict.fromkeys(
        ["waiting_us", "offered_us", "connected_us", "paused_us", "resolved_us", "abandoned_us"], 0
    )
    assert (seen["legs"], seen["segments"], seen["complete"], seen["residual_us"]) == ([], [], False, 0)
    metrics, durations, events = seen["metrics"], seen["durations"], seen["events"]
    assert isinstance(metrics, dict)
    assert isinstance(durations, dict)
    assert isinstance(events, list)
    assert metrics.pop("cycle_resolution_us") == []
    assert set(metrics.values()) == set(durations.values()) == {None}
    assert [event["effect"] for event in events] == ["recorded"]


@pytest.mark.parametrize(
    ("stated", "customer_id"),
    [
        ({"customer": {"id": "c-1"}}, "c-1"),
        ({"customer": {"email": "x@example.org"}}, None),
        ({"customer": {"email": "x@example.org"}, "customer_id": "found"}, "found"),
        ({"customer": {"id": "c-1"}, "customer_id": "c-1"}, "c-1"),
        ({"customer": "unreadable"}, None),
    ],
)
def test_the_customer_is_whom_intake_found_else_whom_the_contact_names(
    stated: dict[str, object], customer_id: str | None
) -> None:
    assert shown([received(NOON, **stated)])["customer_id"] == customer_id
