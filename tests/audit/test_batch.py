"""A batch joined to what is known: what is kept, which histories grow, which records are duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from audit.domain.batch import Joined, Row, arrive, content_of, join
from audit.domain.headers import unpack
from audit.domain.history import History
from audit.domain.place import Place
from audit.domain.summary import Summary, summarise
from chassis.records import Record
from tests.audit.given import Writer, event_id, life


def joined(records: Sequence[Record], histories: dict[str, History] | None = None) -> Joined:
    return join(arrive(records, {}), histories or {}, {})


def rows(records: Sequence[Record]) -> list[Row]:
    return [arrival.row() for arrival in joined(records).arrived]


def test_every_byte_of_a_record_is_kept() -> None:
    record = Writer().event("Routed", {"agent_id": "a"}, headers=[("x", b"1"), ("x", b"2"), ("\udcff", b"\0")])
    (row,) = rows([record])
    assert (row.key, unpack(row.headers), row.value) == (record.key, record.headers, record.value)
    assert (row.topic, row.partition, row.offset, row.appended_us) == ("contacts", 0, 0, record.timestamp_us)


def test_what_was_read_as_the_record_came_is_not_read_again_and_is_the_same() -> None:
    writer = Writer()
    for record in [*life(writer), writer.raw([], b"\xff", None), Writer("agents").event("PresenceChanged")]:
        content = content_of(record.topic, record.headers, record.value)
        assert rows([record._replace(content=content)]) == rows([record])
        assert rows([record._replace(content=content, headers=(), value=b"other")])[0].headers == content.headers


def test_what_is_noted_beside_the_bytes_is_what_they_say() -> None:
    (row,) = rows([Writer().event("Routed", {"agent_id": "a"}, id_=event_id(7))])
    assert (row.event_id, row.request_id, row.type, row.duplicate) == (event_id(7), "r-1", "Routed", False)
    assert row.unreadable is None


def test_a_broken_record_is_kept_and_marked_and_its_neighbours_go_on() -> None:
    writer = Writer()
    before, broken, after = writer.event("Routed"), writer.raw([], b"\xff", None), writer.event("Connected")
    first, second, third = rows([before, broken, after])
    assert (second.value, second.key) == (b"\xff", None)
    assert (second.event_id, second.request_id, second.type) == (None, "", None)
    assert second.unreadable is not None
    assert (first.unreadable, third.unreadable) == (None, None)


def test_the_same_event_twice_in_one_batch_is_one_event_and_one_duplicate() -> None:
    writer = Writer()
    batch = joined([writer.event("Routed", id_=event_id(1)), writer.event("Routed", id_=event_id(1))])
    assert [arrival.duplicate for arrival in batch.arrived] == [False, True]
    assert len(batch.grown["r-1"].events) == 1


def test_an_event_that_was_known_before_is_a_duplicate_and_changes_nothing() -> None:
    writer = Writer()
    earlier = joined([writer.event("Routed", id_=event_id(1))]).grown
    batch = joined([writer.event("Routed", id_=event_id(1))], earlier)
    assert [arrival.duplicate for arrival in batch.arrived] == [True]
    assert (batch.changed, batch.demoted) == (set(), [])


def test_a_twin_read_later_that_was_known_first_demotes_the_record_of_an_earlier_batch() -> None:
    elsewhere = Writer(partition=5)
    first = elsewhere.event("Routed", id_=event_id(1), appended_us=1_000)
    late = Writer(partition=0).event("Routed", id_=event_id(1), appended_us=2_000)
    batch = joined([first], joined([late]).grown)
    assert batch.demoted == [Place(2_000, "contacts", 0, 0)]
    assert (batch.changed, batch.arrived[0].duplicate) == ({"r-1"}, False)


def test_the_same_event_id_in_two_requests_is_two_events() -> None:
    writer = Writer()
    batch = joined([writer.event("Routed", subject=name, id_=event_id(1)) for name in ("r-1", "r-2")])
    assert [arrival.duplicate for arrival in batch.arrived] == [False, False]


def test_outside_of_requests_duplicates_are_found_by_the_event_alone() -> None:
    writer = Writer("agents")
    records = [writer.event("PresenceChanged", subject=name, id_=event_id(1)) for name in ("a-1", "a-1")]
    batch = join(arrive(records, {}), {}, {})
    assert [arrival.duplicate for arrival in batch.arrived] == [False, True]
    twin = arrive([writer.event("PresenceChanged", id_=event_id(1))], {})
    again = join(twin, {}, {event_id(1): Place(0, "agents", 0, 0)})
    assert again.arrived[0].duplicate
    assert (again.grown, again.arrived[0].request_id) == ({}, "")


def test_known_histories_are_not_changed_by_a_batch() -> None:
    writer = Writer()
    known = joined([writer.event("ContactReceived")]).grown
    joined([writer.event("Routed")], known)
    assert len(known["r-1"].events) == 1


def test_the_known_times_move_on_with_the_batch() -> None:
    known = {("contacts", 0): 50}
    writer = Writer()
    arrived = arrive([writer.event("Routed", appended_us=us) for us in (10, 70, 60)], known)
    assert [arrival.place.known_us for arrival in arrived] == [50, 70, 70]
    assert known == {("contacts", 0): 70}


def whole(records: Sequence[Record], cuts: Sequence[int]) -> tuple[dict[str, Summary], dict[Place, bool]]:
    """Takes the records in, in batches, as the service does: summaries by request, and which places are duplicates."""
    histories: dict[str, History] = {}
    known: dict[tuple[str, int], int] = {}
    marks: dict[Place, bool] = {}
    bounds = sorted({0, *cuts, len(records)})
    for start, end in pairwise(bounds):
        batch = join(arrive(records[start:end], known), histories, {})
        histories |= batch.grown
        marks |= {arrival.place: arrival.duplicate for arrival in batch.arrived} | dict.fromkeys(batch.demoted, True)
    return {request_id: summarise(request_id, history) for request_id, history in histories.items()}, marks


@given(st.data())
def test_however_the_log_is_cut_and_its_partitions_interleaved_the_outcome_is_the_same(data: st.DataObject) -> None:
    logs = []
    for partition in range(3):
        writer = Writer(partition=partition, appended_us=data.draw(st.integers(0, 5)) * 1_000)
        events = data.draw(st.lists(st.integers(0, 5), max_size=8))
        logs.append([writer.event("Routed", {"agent_id": "a"}, id_=event_id(n), minute=n) for n in events])
    in_order = [record for log in logs for record in log]
    order = data.draw(st.permutations([number for number, log in enumerate(logs) for _ in log]))
    queues = [iter(log) for log in logs]
    interleaved = [next(queues[number]) for number in order]
    cuts = data.draw(st.lists(st.integers(0, len(in_order))))
    assert whole(interleaved, cuts) == whole(in_order, [])


def test_a_plain_life_becomes_one_summary() -> None:
    summaries, _ = whole(life(Writer()), [1, 3])
    summary = summaries["r-1"]
    assert (summary.state, summary.agent_id, summary.events, summary.residual_us) == ("resolved", "a-1", 4, 0)
