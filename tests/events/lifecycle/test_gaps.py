"""A gap in a source's numbers makes a life incomplete and is named; what may lie beyond is not guessed."""

from events.lifecycle import Entry, fold
from events.lifecycle.gaps import MOST_NAMED
from events.lifecycle.samples import INTAKE, ROUTER, received, said


def contact(sequence: int | None) -> Entry:
    entry = received(0)
    entry.sequence = sequence
    return entry


def remark(sequence: int | None, source: str = ROUTER) -> Entry:
    return said("SlaMet", 5, event_id=f"{source} {sequence}", source=source, sequence=sequence)


def test_gapless_sources_are_complete() -> None:
    life = fold([remark(2), contact(1), remark(1), remark(3)])
    assert life.complete
    assert life.missing == []


def test_every_missing_event_is_named_by_source_and_number() -> None:
    life = fold([contact(3), remark(5), remark(2)])
    assert not life.complete
    assert life.missing == [(INTAKE, 1), (INTAKE, 2), (ROUTER, 1), (ROUTER, 3), (ROUTER, 4)]


def test_a_gap_changes_no_number() -> None:
    given = [contact(1), said("Routed", 5, agent_id="a", sequence=1), said("Resolved", 9, sequence=3)]
    assert fold(given).durations == (5, None, None, 9)


def test_a_source_without_numbers_has_no_gaps() -> None:
    assert fold([contact(None), remark(None, "foreign")]).complete


def test_numbers_that_no_source_gives_are_passed_over() -> None:
    assert fold([contact(1), remark(0), remark(-7)]).complete


def test_two_events_with_one_number_do_not_hide_a_gap() -> None:
    twin = said("SlaMet", 6, sequence=3)
    assert fold([contact(1), remark(3), twin, remark(1)]).missing == [(ROUTER, 2)]


def test_a_history_without_its_contact_names_it_where_the_numbers_tell() -> None:
    message = said("MessageReceived", 5, source=INTAKE, sequence=2)
    assert fold([message]).missing == [(INTAKE, 1)]
    assert not fold([said("Connected", 5, source="/imports", sequence=1)]).complete


def test_an_absurd_number_names_only_the_first_gaps() -> None:
    life = fold([contact(1), remark(2**62), remark(3, "z")])
    assert not life.complete
    assert len(life.missing) == MOST_NAMED
    assert life.missing[-1] == (ROUTER, MOST_NAMED)
