"""Which lines of an import are taken. Given a past, when a line comes, then it is accepted, a duplicate or rejected."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from intake.domain.imports import LIVE_REQUEST, OTHER_CONTENT, Accepted, Past, Repeated, decide, decide_all
from intake.domain.lines import Line

EVENT, OTHER = UUID(int=1), UUID(int=2)
LINE = Line("Resumed", "call-1", 0, {}, EVENT, None, content=UUID(int=11))


def test_a_new_line_is_accepted() -> None:
    assert decide(Past(), LINE) == Accepted()


def test_the_same_line_again_is_a_duplicate() -> None:
    assert decide(Past(taken={EVENT: LINE.content}), LINE) == Repeated()


def test_an_event_id_that_stands_for_other_content_is_rejected() -> None:
    assert decide(Past(taken={EVENT: UUID(int=12)}), LINE) == OTHER_CONTENT


def test_the_id_of_a_live_event_is_rejected() -> None:
    assert decide(Past(stated={EVENT}), LINE) == OTHER_CONTENT


def test_a_line_for_a_live_request_is_rejected() -> None:
    assert decide(Past(live={"call-1"}), LINE) == LIVE_REQUEST


def test_of_the_same_line_twice_in_one_call_the_second_is_a_duplicate() -> None:
    assert decide_all(Past(), [LINE, LINE]) == [Accepted(), Repeated()]


def test_of_one_id_with_two_contents_in_one_call_the_second_is_rejected() -> None:
    assert decide_all(Past(), [LINE, replace(LINE, content=OTHER)]) == [Accepted(), OTHER_CONTENT]


def test_a_rejected_line_does_not_take_its_id() -> None:
    past = Past(live={"live"})
    assert decide_all(past, [replace(LINE, request_id="live"), LINE]) == [LIVE_REQUEST, Accepted()]
