"""The cache of histories."""

from __future__ import annotations

from audit.domain.cache import Histories
from audit.domain.history import History, Known, history_of
from audit.domain.place import Place
from events.lifecycle import Entry


def history(events: int) -> History:
    return history_of(
        Known(Place(n, "contacts", 0, n), Entry(f"e{n}", "Routed", "/s", None, None, 0, {})) for n in range(events)
    )


def test_the_history_that_was_not_used_for_longest_goes_first() -> None:
    cache = Histories(most_events=4)
    cache.put({"a": history(2), "b": history(2)})
    cache.take(["a"])
    cache.put({"c": history(1)})
    assert sorted(cache.take(["a", "b", "c"])) == ["a", "c"]


def test_it_is_bounded_by_events_and_not_by_requests() -> None:
    cache = Histories(most_events=10)
    for number in range(8):
        cache.put({f"r{number}": history(3)})
    assert (len(cache), cache.events) == (3, 9)


def test_a_history_that_is_too_long_for_the_cache_is_not_held() -> None:
    cache = Histories(most_events=10)
    cache.put({"a": history(11)})
    assert (len(cache), cache.events) == (0, 0)


def test_a_newer_history_takes_the_older_ones_place() -> None:
    cache = Histories(most_events=10)
    cache.put({"a": history(1)})
    cache.put({"a": history(3)})
    assert cache.events == 3
    cache.clear()
    assert (len(cache), cache.events) == (0, 0)
