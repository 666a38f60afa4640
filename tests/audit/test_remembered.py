"""What a rebuild remembers while it reads."""

from __future__ import annotations

from audit.domain.batch import Arrival, arrive
from audit.rebuild.bulk import Remembered
from tests.audit.given import Writer, event_id, life


def lives(count: int) -> list[Arrival]:
    writer = Writer()
    return arrive([record for number in range(count) for record in life(writer, f"r-{number}")], {})


def test_with_room_for_all_every_history_is_whole() -> None:
    remembered = Remembered(most_events=1_000)
    remembered.take(lives(50))
    held = dict(remembered.histories())
    assert remembered.holds_all
    assert len(held) == 50
    assert {len(history.events) for history in held.values()} == {4}


def test_what_is_too_much_is_forgotten_by_its_hash_and_never_half_kept() -> None:
    remembered = Remembered(most_events=100)
    for arrival in lives(200):
        remembered.take([arrival])
    held = dict(remembered.histories())
    assert not remembered.holds_all
    assert 0 < sum(len(history.events) for history in held.values()) <= 100
    assert {len(history.events) for history in held.values()} == {4}
    assert set(held) == {f"r-{number}" for number in range(200) if remembered.holds(f"r-{number}")}


def test_without_memory_nothing_is_held() -> None:
    remembered = Remembered(most_events=0)
    remembered.take(lives(3))
    assert not remembered.holds_all
    assert list(remembered.histories()) == []


def test_duplicates_are_marked_before_they_are_written_or_noted_where_they_were() -> None:
    remembered = Remembered(most_events=100)
    second = arrive([Writer().event("Routed", id_=event_id(1), appended_us=2_000)], {})
    first = arrive([Writer(partition=1).event("Routed", id_=event_id(1), appended_us=1_000)], {})
    third = arrive([Writer(partition=2).event("Routed", id_=event_id(1), appended_us=3_000)], {})
    for arrived in (second, first, third):
        remembered.take(arrived)
    assert remembered.demoted == [second[0].place]
    assert [arrived[0].duplicate for arrived in (first, third)] == [False, True]
