"""Duplicates are found among a request's own events; the first place in the log wins."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from audit.domain.history import History, Known, history_of
from audit.domain.place import Place
from events.lifecycle import Entry


def known(event_id: str, place: Place) -> Known:
    return Known(place, Entry(event_id, "Routed", "/s", None, None, 0, {}))


def test_the_second_record_of_an_event_is_the_duplicate() -> None:
    history = History()
    first, second = Place(1, "contacts", 0, 1), Place(2, "contacts", 0, 2)
    assert history.add(known("e", first)) is None
    assert history.add(known("e", second)) == second
    assert history.events["e"].place == first


def test_a_record_that_was_known_earlier_but_read_later_takes_the_first_place() -> None:
    history = History()
    first, second = Place(1, "contacts", 7, 1), Place(2, "contacts", 0, 2)
    history.add(known("e", second))
    assert history.add(known("e", first)) == second
    assert history.events["e"].place == first


def test_the_last_known_time_leaves_duplicates_out() -> None:
    history = history_of([known("a", Place(1, "contacts", 0, 0)), known("b", Place(2, "contacts", 0, 1))])
    history.add(known("a", Place(9, "contacts", 0, 2)))
    assert history.known_us == (1, 2)


def test_a_copy_grows_without_its_original() -> None:
    history = history_of([known("a", Place(1, "contacts", 0, 0))])
    history.copy().add(known("b", Place(2, "contacts", 0, 1)))
    assert list(history.events) == ["a"]


PLACES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 9)), unique=True, max_size=12)


@given(PLACES, st.data())
def test_the_order_of_reading_does_not_matter(places: list[tuple[int, int, int]], data: st.DataObject) -> None:
    records = [known(f"e{n % 3}", Place(us, "contacts", p, o)) for n, (us, p, o) in enumerate(places)]
    shuffled = data.draw(st.permutations(records))
    assert history_of(records).events == history_of(shuffled).events
