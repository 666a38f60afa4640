"""What a rebuild remembers while it reads."""

from __future__ import annotations

from audit.domain.batch import Arrival, arrive
from audit.rebuild.bulk import Remembered
from events.catalogue import partition_of
from tests.audit.given import Writer, event_id, life


def lives(count: int) -> list[Arrival]:
    writer = Writer()
    return arrive([record for number in range(count) for record in life(writer, f"r-{number}")], {})


def of_the_whole(most_events: int) -> Remembered:
    """Of a log with a single partition."""
    return Remembered(most_events, partition=0, partitions=1)


def test_with_room_for_all_every_history_is_whole() -> None:
    remembered = of_the_whole(1_000)
    assert remembered.take(lives(50)) == set()
    held = dict(remembered.histories())
    assert remembered.holds_all
    assert len(held) == 50
    assert {len(history.events) for history in held.values()} == {4}


def test_what_is_too_much_is_forgotten_by_its_hash_and_never_half_kept() -> None:
    remembered = of_the_whole(100)
    for arrival in lives(200):
        remembered.take([arrival])
    held = dict(remembered.histories())
    assert not remembered.holds_all
    assert 0 < sum(len(history.events) for history in held.values()) <= 100
    assert {len(history.events) for history in held.values()} == {4}


def test_without_memory_nothing_is_held() -> None:
    remembered = of_the_whole(0)
    remembered.take(lives(3))
    assert not remembered.holds_all
    assert list(remembered.histories()) == []


def test_the_later_of_two_is_marked_as_the_duplicate_before_it_is_written() -> None:
    remembered = of_the_whole(100)
    writer = Writer()
    arrived = arrive([writer.event("Routed", id_=event_id(1)) for _ in range(3)], {})
    remembered.take(arrived[:2])
    remembered.take(arrived[2:])
    assert [arrival.duplicate for arrival in arrived] == [False, True, True]


def test_a_request_whose_own_partition_is_another_is_named_and_not_held() -> None:
    own = partition_of(b"r-1", 4)
    for partition in range(4):
        arrived = arrive(life(Writer(partition=partition), "r-1"), {})
        for most_events in (0, 100):
            remembered = Remembered(most_events, partition=partition, partitions=4)
            assert remembered.take(arrived) == (set() if partition == own else {"r-1"})
            held = [request_id for request_id, _ in remembered.histories()]
            assert held == (["r-1"] if partition == own and most_events else [])
