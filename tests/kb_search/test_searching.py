"""Searching, on an index in memory: what is found for a question, what is shown unasked, and what is told as missed."""

from __future__ import annotations

import pytest

from chassis.errors import Unavailable
from chassis.metrics import Metrics
from kb_search.app.ports import Entry
from kb_search.app.searching import MOST, Question, Searching
from kb_search.domain.content import About, Content
from kb_search.domain.ranking import Passage
from kb_search.domain.suggestions import MOST_SHOWN, Matter
from kb_search.metrics import CATALOGUE
from tests.kb_search.memory import MemoryIndex

NOTHING = Matter(About(), None)


class Books:
    """An index that is whole or not yet."""

    def __init__(self, *, is_whole: bool = True) -> None:
        self.is_whole = is_whole

    async def caught_up(self) -> None:
        """At once."""


class Room:
    """Searching over some articles by their titles, and what it told as missed."""

    def __init__(self, *titles: str, is_whole: bool = True, language: str = "en") -> None:
        self.missed: list[str] = []
        index = MemoryIndex()
        index.change([Entry(title, 1, Content(title, "", language)) for title in titles], [])
        self.searching = Searching(index, Books(is_whole=is_whole), self.missed.append, Metrics(CATALOGUE))

    def finds(self, text: str, *, offset: int = 0, limit: int = 10, language: str | None = None) -> list[str]:
        question = Question(text, About(), language)
        return [each.article_id for each in self.searching.search(question, offset=offset, limit=limit)[0]]

    def shows(self, text: str, matter: Matter = NOTHING) -> list[str]:
        return [each.article_id for each in self.searching.look_up([Passage(text)], matter).found]


def test_whoever_searches_gets_whatever_has_one_of_his_words() -> None:
    room = Room("lost card", "card limit", "new phone")
    assert room.finds("lost card") == ["lost card", "card limit"]
    assert room.missed == []


def test_an_agent_who_has_not_asked_is_shown_what_covers_enough() -> None:
    room = Room("lost card", "card limit", "new phone")
    assert room.shows("lost card") == ["lost card"]
    assert room.shows("where may one read up on how a phone rings when nobody calls") == []


def test_no_more_than_five_are_shown_unasked() -> None:
    room = Room(*(f"card number{n}" for n in range(9)))
    assert len(room.shows("card")) == MOST_SHOWN
    assert len(room.finds("card")) == 9


def test_pages_join_to_the_whole_and_the_last_says_so() -> None:
    room = Room("card one", "card two", "card three")
    question = Question("card", About())
    first, more = room.searching.search(question, offset=0, limit=2)
    rest, none = room.searching.search(question, offset=2, limit=2)
    assert [each.article_id for each in (*first, *rest)] == room.finds("card")
    assert (more, none) == (True, False)


def test_no_search_goes_deeper_than_the_thousand_best() -> None:
    room = Room(*(f"card number{n}" for n in range(MOST + 5)))
    _, more = room.searching.search(Question("card", About()), offset=MOST - 10, limit=10)
    assert more is False


def test_a_search_that_finds_nothing_is_told_and_a_look_up_is_not() -> None:
    room = Room("lost card")
    assert (room.finds("  Mortgage RATES "), room.shows("mortgage rates")) == ([], [])
    assert room.missed == ["mortgage rates"]


def test_a_search_without_words_is_no_gap() -> None:
    room = Room("lost card")
    assert room.finds(" ") == []
    assert room.missed == []


def test_a_language_that_is_asked_for_hides_others_and_the_customers_does_not() -> None:
    room = Room("karte", language="de")
    assert room.finds("karte", language="en") == []
    assert room.shows("karte", Matter(About(), "en")) == ["karte"]


def test_while_not_all_articles_are_in_it_nothing_is_answered() -> None:
    room = Room("lost card", is_whole=False)
    with pytest.raises(Unavailable):
        room.finds("card")
    with pytest.raises(Unavailable):
        room.shows("card")


def test_what_was_not_found_comes_with_its_words_and_how_many_articles_have_them() -> None:
    lookup = Room("lost card").searching.look_up([Passage("mortgage card mortgage rates help wanted now")], NOTHING)
    assert lookup.found == ()
    assert lookup.frequencies["card"] == 1
    assert lookup.frequencies["mortgage"] == 0
