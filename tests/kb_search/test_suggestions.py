"""Suggestions: what of a customer's words is looked up, when there is news to show, and what is stated of a use."""

from __future__ import annotations

from typing import Any

import pytest

from events.contacts.suggestions import Suggestion, SuggestionShown, SuggestionUsed
from kb_search.domain.content import About
from kb_search.domain.ranking import Found, Passage
from kb_search.domain.suggestions import Listed, Matter, Said, Used, matter_of, passages_of, shown, used

CONTACT = "019aa9f2-7c51-7d04-9a3e-5b1f0c2d4e70"
EARLIER = "019aa9f2-7c51-7d04-9a3e-000000000000"


def found(article_id: str, revision: int = 1, score: float = 2.0) -> Found:
    return Found(article_id, revision, "Title", "Snippet", score)


def listed(article_id: str, place: int, revision: int = 1, *, still: bool = True) -> Listed:
    return Listed(article_id, revision, place, EARLIER, still)


def said(**facts: Any) -> Said:
    return Said(CONTACT, facts)


def test_a_subject_counts_twice_and_what_was_searched_for_more_than_what_was_done() -> None:
    steps = [{"action": "search", "detail": "reset"}, {"action": "open", "detail": "/help"}, {"action": "leave"}]
    assert passages_of([said(subject="Help", body="It broke", session=steps)]) == [
        Passage("Help", 2.0),
        Passage("It broke", 1.0),
        Passage("reset", 1.5),
        Passage("/help", 1.0),
    ]


def test_each_earlier_word_counts_half_of_the_next() -> None:
    assert passages_of([said(subject="Card"), said(body="It is blue"), said(body="Light blue")]) == [
        Passage("Light blue", 1.0),
        Passage("It is blue", 0.5),
        Passage("Card", 0.5),
    ]


@pytest.mark.parametrize("facts", [{}, {"subject": None, "body": " "}, {"body": 7, "session": "x"}])
def test_who_says_nothing_asks_nothing(facts: dict[str, Any]) -> None:
    assert passages_of([Said(CONTACT, facts)]) == []


def test_the_matter_is_what_the_gateway_names() -> None:
    facts = {"context": {"product": "X", "version": "2", "os": ""}, "language": "de"}
    assert matter_of(facts) == Matter(About("X", "2", None), "de")
    assert matter_of({"context": None}) == Matter(About(), None)


def test_articles_found_for_the_first_time_are_told() -> None:
    fact = shown([], [found("a", 3, 2.00049), found("b")], found_for=CONTACT)
    assert fact == SuggestionShown(
        suggestions=[
            Suggestion(article_id="a", revision=3, score=2.0),
            Suggestion(article_id="b", revision=1, score=2.0),
        ],
        ranking="words-1",
        found_for=CONTACT,
    )


def test_the_same_list_again_is_no_news_whatever_the_scores() -> None:
    before = [listed("b", 2), listed("a", 1), listed("c", 1, still=False)]
    assert shown(before, [found("a", score=9.9), found("b")], found_for=CONTACT) is None


@pytest.mark.parametrize(
    "now", [[found("b"), found("a")], [found("a", 2), found("b")], [found("a")], [found("a"), found("b"), found("c")]]
)
def test_another_order_another_revision_more_or_fewer_are_news(now: list[Found]) -> None:
    fact = shown([listed("a", 1), listed("b", 2)], now, found_for=CONTACT)
    assert fact is not None
    assert [each.article_id for each in fact.suggestions] == [each.article_id for each in now]


def test_that_nothing_fits_any_more_is_told_once() -> None:
    emptied = shown([listed("a", 1)], [], found_for=CONTACT)
    assert emptied is not None
    assert emptied.suggestions == []
    assert shown([listed("a", 1, still=False)], [], found_for=CONTACT) is None


def test_a_use_names_the_place_and_revision_that_the_agent_saw() -> None:
    command = Used("r", "a", "agent-1", 2)
    assert used(command, revision=5, stood=listed("a", 3, revision=4)) == SuggestionUsed(
        article_id="a", revision=4, place=3, agent_id="agent-1", leg=2
    )


def test_a_use_that_comes_late_counts_by_the_list_in_which_the_article_last_stood() -> None:
    assert used(Used("r", "a"), revision=5, stood=listed("a", 1, still=False)).place == 1


def test_an_article_that_was_never_suggested_has_no_place() -> None:
    assert used(Used("r", "a"), revision=5, stood=None) == SuggestionUsed(article_id="a", revision=5)
