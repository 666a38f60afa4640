"""Gaps say what to write, and nothing of a person."""

from __future__ import annotations

from kb_search.domain.gaps import LONGEST, MOST_TERMS, asked_in_contact, asked_in_search


def test_searches_that_differ_in_case_and_blanks_are_one() -> None:
    assert asked_in_search("  Lost\n CARD ") == asked_in_search("lost card") == "lost card"
    assert len(asked_in_search("x" * 1_000)) == LONGEST


def test_of_a_contact_only_words_that_our_articles_have_are_counted() -> None:
    weights = {"beispiel": 2.0, "ada": 2.0, "mortgage": 1.0, "rate": 3.0, "4711": 2.0}
    assert asked_in_contact(weights, {"mortgage": 4, "rate": 9, "ada": 0, "4711": 1}) == ["rate", "mortgage"]


def test_of_many_words_the_weightiest_are_counted() -> None:
    weights = {f"w{n:02}": 1.0 for n in range(30)}
    assert asked_in_contact(weights, dict.fromkeys(weights, 1)) == [f"w{n:02}" for n in range(MOST_TERMS)]
