"""How search ranks: which words count, what a score is made of, what is worth showing, and the snippet."""

from __future__ import annotations

import math
from typing import Any

import pytest

from kb_search.domain.content import About
from kb_search.domain.ranking import (
    LONGEST_TEXT,
    MOST_TERMS,
    Asked,
    Candidate,
    Found,
    Passage,
    Told,
    choose,
    coverage,
    found,
    rank,
    score,
    snippet,
    usefulness,
    weigh,
    worth_showing,
)

ASKED = Asked({"reset": 1.0, "password": 1.0}, {"reset": 0.25, "password": 0.75})


def words(text: str) -> list[str]:
    return text.lower().replace(".", "").split()


def told(*sentences: str) -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple((sentence, frozenset(words(sentence))) for sentence in sentences)


def candidate(article_id: str = "a", **facts: Any) -> Candidate:
    plain: dict[str, Any] = {
        "revision": 1,
        "language": "en",
        "about": About(),
        "ratings": 0,
        "rating_sum": 0,
        "words": frozenset({"reset", "password"}),
        "relevance": 4.0,
        "told": lambda: Told("A", told("To reset the password press it.")),
    }
    return Candidate(article_id, **{**plain, **facts})


def test_a_word_weighs_what_its_passages_do_once_each() -> None:
    said = [Passage("reset reset password", 2.0), Passage("Password please", 0.5)]
    assert weigh(said, words) == {"reset": 2.0, "password": 2.5, "please": 0.5}


def test_a_word_weighs_four_at_most() -> None:
    assert weigh([Passage("no", 2.0)] * 3, words) == {"no": 4.0}


def test_of_a_very_long_text_the_beginning_is_read() -> None:
    assert weigh([Passage("a " * (LONGEST_TEXT // 2) + "b")], words) == {"a": 1.0}


def test_a_rare_word_says_more_than_a_common_one() -> None:
    asked = choose({"rare": 1.0, "common": 1.0}, {"rare": 1, "common": 50}, 100)
    expected = math.log1p(100) / (math.log1p(100) + math.log1p(2))
    assert asked.shares["rare"] == pytest.approx(expected)
    assert sum(asked.shares.values()) == pytest.approx(1)


def test_a_word_that_no_article_has_is_not_looked_up_but_counts_as_asked() -> None:
    asked = choose({"known": 1.0, "unheard": 1.0}, {"known": 1, "unheard": 0}, 100)
    assert asked.terms == {"known": 1.0}
    assert asked.shares == {"known": pytest.approx(0.5)}


def test_of_many_words_those_that_say_most_are_looked_up() -> None:
    weights = {f"w{n:02}": 1.0 for n in range(40)}
    asked = choose(weights, {f"w{n:02}": n + 1 for n in range(40)}, 100)
    assert sorted(asked.terms) == [f"w{n:02}" for n in range(MOST_TERMS)]
    assert sum(asked.shares.values()) == pytest.approx(1)


def test_nothing_asked_is_nothing_looked_up() -> None:
    assert choose({}, {}, 0) == Asked({}, {})


def test_what_covers_half_of_what_was_asked_counts_three_quarters() -> None:
    whole, part = candidate(), candidate(words=frozenset({"reset"}))
    assert (coverage(whole, ASKED), coverage(part, ASKED)) == (1, 0.25)
    assert score(whole, ASKED, About(), None) == 4
    assert score(part, ASKED, About(), None) == 4 * 0.625


def test_agreement_in_context_and_good_ratings_bring_an_article_forward() -> None:
    plain = candidate("plain")
    fitting = candidate("fitting", about=About(product="X"), relevance=3.5)
    liked = candidate("liked", ratings=20, rating_sum=100, relevance=3.5)
    assert [each.article_id for each, _ in rank([plain, fitting, liked], ASKED, About(), None)] == [
        "liked",
        "plain",
        "fitting",
    ]
    asked = About(product="X")
    assert [each.article_id for each, _ in rank([plain, fitting], ASKED, asked, None)] == ["fitting", "plain"]


def test_equal_articles_stand_by_their_id() -> None:
    ranked = rank([candidate("b"), candidate("a")], ASKED, About(), None)
    assert [each.article_id for each, _ in ranked] == ["a", "b"]


@pytest.mark.parametrize(("ratings", "total", "factor"), [(0, 0, 1.0), (5, 15, 1.0), (5, 25, 1.1), (5, 5, 0.9)])
def test_ratings_move_an_article_by_a_fifth_at_most(ratings: int, total: int, factor: float) -> None:
    assert usefulness(ratings, total) == pytest.approx(factor)
    assert 0.8 < usefulness(10_000, 10_000) < usefulness(10_000, 50_000) < 1.2


def test_what_covers_too_little_or_is_far_behind_the_best_is_not_shown_unasked() -> None:
    asked = Asked({"a": 1.0, "b": 1.0}, {"a": 0.9, "b": 0.1})
    best = candidate("best", words=frozenset({"a"}), relevance=10)
    near = candidate("near", words=frozenset({"a"}), relevance=5.1)
    far = candidate("far", words=frozenset({"a"}), relevance=4.9)
    beside = candidate("beside", words=frozenset({"b"}), relevance=100)
    ranked = rank([best, near, far, beside], asked, About(), None)
    assert ranked[0][0] == beside
    assert [each.article_id for each, _ in worth_showing(ranked, asked)] == ["best", "near"]
    assert worth_showing([(beside, 1.0)], asked) == []


def test_what_is_shown_of_a_candidate_is_read_from_the_article() -> None:
    assert found([(candidate("a", revision=3), 2.5)], ASKED) == [
        Found("a", 3, "A", "To reset the password press it.", 2.5)
    ]


def test_the_snippet_is_the_sentence_that_says_most_of_it() -> None:
    text = told("Welcome.", "To reset the password press the button.", "Then wait.")
    assert snippet(text, ASKED) == "To reset the password press the button. Then wait."
    assert snippet(told("Nothing here.", "Nor here."), ASKED) == "Nothing here. Nor here."
    assert snippet((), ASKED) == ""


def test_a_long_snippet_ends_between_words() -> None:
    shown = snippet(told("password " * 100), ASKED)
    assert len(shown) <= 240
    assert shown.endswith("password…")
    assert snippet(told("x" * 500), ASKED) == "x" * 239 + "…"
