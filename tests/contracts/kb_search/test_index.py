"""What a text index promises: the one in memory and tantivy's alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kb_search.adapters.text_index import TextIndex
from kb_search.app.ports import Entry, Index
from kb_search.domain.content import About, Content
from kb_search.domain.fit import accepted
from tests.kb_search.memory import MemoryIndex

PASSWORD = Content("Forgotten password", "Choose *new password* on the first page.", "en", ("login",))
CARD = Content("Stolen card", "The card is blocked at once.", "en", (), About(product="Visa"))
LIMIT = Content("Raise a limit", "A higher limit needs a new signature.", "en", (), About(product="Giro", version="2"))


@pytest.fixture(params=["memory", "tantivy"])
def index(request: pytest.FixtureRequest) -> Index:
    return MemoryIndex() if request.param == "memory" else TextIndex()


@pytest.fixture
def full(index: Index) -> Index:
    index.change([entry("password", PASSWORD), entry("card", CARD), entry("limit", LIMIT)], [])
    return index


def entry(article_id: str, content: Content, revision: int = 1, **counted: int) -> Entry:
    return Entry(article_id, revision, content, **counted)


def found(index: Index, *words: str, about: Any = None, language: str | None = None) -> list[str]:
    candidates = index.candidates(dict.fromkeys(words, 1.0), accepted(about or About(), language), 10)
    return [each.article_id for each in candidates]


def test_an_empty_index_finds_nothing(index: Index) -> None:
    assert (index.articles, index.frequencies(["card"]), found(index, "card")) == (0, {"card": 0}, [])


def test_an_article_is_found_by_its_title_its_body_and_its_tags(full: Index) -> None:
    assert full.articles == 3
    assert [found(full, word) for word in ("forgotten", "page", "login")] == [["password"]] * 3


def test_any_of_the_words_is_enough_and_more_of_them_is_better(full: Index) -> None:
    assert found(full, "new") == found(full, "new", "nonsense")
    assert set(found(full, "new")) == {"password", "limit"}
    assert found(full, "new", "limit", "higher") == ["limit", "password"]


def test_without_words_nothing_is_found(full: Index) -> None:
    assert found(full) == []


def test_a_candidate_tells_what_it_is_and_which_words_it_has(full: Index) -> None:
    full.change([entry("card", CARD, 4, ratings=2, rating_sum=9)], [])
    (card,) = full.candidates({"card": 1.0, "limit": 1.0, "nonsense": 1.0}, accepted(About(product="Visa")), 1)
    assert (card.article_id, card.revision, card.language) == ("card", 4, "en")
    assert (card.about, card.ratings, card.rating_sum) == (About(product="Visa"), 2, 9)
    told = card.told()
    assert (told.title, [sentence for sentence, _ in told.sentences]) == (
        "Stolen card",
        ["The card is blocked at once."],
    )
    assert "card" in told.sentences[0][1]
    assert card.words == {"card"}
    assert card.relevance > 0


def test_weightier_words_bring_their_articles_forward(full: Index) -> None:
    heavy = full.candidates({"password": 4.0, "limit": 0.1}, {}, 10)
    assert [each.article_id for each in heavy] == ["password", "limit"]
    light = full.candidates({"password": 0.1, "limit": 4.0}, {}, 10)
    assert [each.article_id for each in light] == ["limit", "password"]


def test_no_more_than_asked_for_are_given(full: Index) -> None:
    assert len(full.candidates({"card": 1.0, "password": 1.0, "limit": 1.0}, {}, 2)) == 2


def test_what_is_for_something_else_is_left_out(full: Index) -> None:
    assert found(full, "new", about=About(product="Visa")) == ["password"]
    assert set(found(full, "new", about=About(product="Giro", version="2.1"))) == {"password", "limit"}
    assert found(full, "new", about=About(product="Giro", version="1")) == ["password"]
    assert found(full, "card", language="de") == []


def test_filters_leave_the_relevance_as_it_is(full: Index) -> None:
    (plain,) = full.candidates({"stolen": 1.0}, {}, 10)
    (filtered,) = full.candidates({"stolen": 1.0}, accepted(About(product="Visa"), "en"), 10)
    assert filtered.relevance == pytest.approx(plain.relevance)


def test_frequencies_count_articles_and_not_words(full: Index) -> None:
    assert full.frequencies(["password", "new", "limit", "nonsense"]) == {
        "password": 1,
        "new": 2,
        "limit": 1,
        "nonsense": 0,
    }


def test_a_changed_article_is_found_by_its_new_words_alone(full: Index) -> None:
    full.change([entry("password", Content("Lost phone", "Tell us.", "en"), 2)], [])
    assert full.articles == 3
    assert found(full, "forgotten") == []
    assert found(full, "phone") == ["password"]


def test_an_article_that_is_gone_is_not_found(full: Index) -> None:
    full.change([], ["card", "never-there"])
    assert (full.articles, found(full, "card")) == (2, [])


def test_an_answer_keeps_what_it_found_while_the_articles_change(full: Index) -> None:
    (card,) = full.candidates({"stolen": 1.0}, {}, 10)
    full.change([entry("card", Content("Other", "Words.", "en"), 2)], ["password"])
    assert card.told().title == "Stolen card"


def test_terms_keep_their_order_and_repeats_and_leave_out_what_says_nothing(index: Index) -> None:
    assert index.terms("The card is blocked: the CARD", "en")[0] == index.terms("card", "en")[0]
    assert len(index.terms("The card is blocked: the CARD", "en")) == 3


def test_while_articles_are_taken_in_by_a_thread_searches_find_each_of_them_once() -> None:
    """Only tantivy is changed in a thread; an article being replaced must not be missing meanwhile."""
    index = TextIndex()
    index.change([entry("card", CARD), entry("limit", LIMIT)], [])
    with ThreadPoolExecutor(1) as thread:
        for revision in range(2, 30):
            change = thread.submit(index.change, [entry("card", CARD, revision), entry("limit", LIMIT, revision)], [])
            while not change.done():
                assert sorted(found(index, "stolen", "limit")) == ["card", "limit"]
            change.result()


def test_a_text_of_unknown_language_is_read_as_the_articles_that_know_it() -> None:
    """Tantivy alone has languages: in English `Bücher` is no form of `Buch`."""
    index = TextIndex()
    german = Content("Bücher", "Die Bücher des Hauses.", "de")
    index.change([entry("password", PASSWORD), entry("card", CARD), entry("buch", german)], [])
    for text, article_id in (("ein buch", "buch"), ("the forgotten passwords", "password")):
        assert found(index, *index.terms(text, None)) == [article_id]


@pytest.mark.parametrize("text", ["", "  ", "!?", "\u0301", "x" * 100_000, "🂡 " * 1_000])
def test_any_text_has_terms_or_none(full: Index, text: str) -> None:
    terms = full.terms(text, None)
    full.candidates(dict.fromkeys(terms, 1.0), {}, 10)
