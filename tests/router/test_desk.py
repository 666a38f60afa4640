"""What a desk is told: given what it was told before, when this is so now, then these are the differences."""

from __future__ import annotations

import pytest

from events.lifecycle.table import State
from router.domain.desk import Held, News, Told, changes

ONE, TWO = Held("r-1", 1), Held("r-2", 1)


@pytest.mark.parametrize(
    ("before", "now", "news"),
    [
        (None, State.OFFERED, News.OFFER),
        (None, State.CONNECTED, News.CONNECTED),
        (State.OFFERED, State.CONNECTED, News.CONNECTED),
        (State.CONNECTED, State.PAUSED, News.PAUSED),
        (State.PAUSED, State.CONNECTED, News.CONNECTED),
        (State.OFFERED, None, News.WITHDRAWAL),
        (State.CONNECTED, None, News.RELEASED),
        (State.PAUSED, None, News.RELEASED),
    ],
)
def test_each_difference_has_its_name(before: State | None, now: State | None, news: News) -> None:
    was = {} if before is None else {ONE: before}
    will_be = {} if now is None else {ONE: now}
    assert changes(was, will_be) == [Told(news, ONE)]


def test_what_is_as_it_was_is_not_told() -> None:
    assert changes({ONE: State.OFFERED}, {ONE: State.OFFERED}) == []


def test_the_same_request_in_another_leg_is_another_offer() -> None:
    again = Held("r-1", 3)
    assert changes({ONE: State.OFFERED}, {again: State.OFFERED}) == [
        Told(News.WITHDRAWAL, ONE),
        Told(News.OFFER, again),
    ]


def test_what_has_gone_is_told_before_what_has_come() -> None:
    assert [each.news for each in changes({ONE: State.CONNECTED}, {TWO: State.OFFERED})] == [
        News.RELEASED,
        News.OFFER,
    ]
