"""Articles: given what stands, when somebody writes or retires, then a fact, nothing, or a refusal."""

from __future__ import annotations

from typing import Any

import pytest

from events.base import Fact
from events.contacts.contact import Context
from events.knowledge import ArticlePublished, ArticleRetired, ArticleRevised
from kb_search.domain.articles import (
    Article,
    ChangedMeanwhile,
    Condition,
    NoSuchArticle,
    Put,
    Retire,
    put,
    retire,
    stated,
)
from kb_search.domain.content import About, Content

NOBODY_WROTE = Article("a")
CONTENT = Content("Reset", "Press it.", "en", ("help",), About(product="Router X"))
OTHER = Content("Reset", "Press it long.", "en")
WRITTEN = Article("a", 2, False, CONTENT)
RETIRED = Article("a", 2, True, CONTENT)


def at(*revisions: int) -> Condition:
    return Condition(frozenset(revisions))


def written(before: Article, content: Content = OTHER, **given: Any) -> tuple[Article, Fact | None]:
    command = Put("a", content, **given)
    after = put(before, command)
    return after, stated(before, after, by=command.by)


def test_the_first_words_publish_an_article() -> None:
    after, fact = written(NOBODY_WROTE, CONTENT, by="editor")
    assert after == Article("a", 1, False, CONTENT)
    assert fact == ArticlePublished(
        article_id="a",
        revision=1,
        title="Reset",
        body="Press it.",
        language="en",
        tags=["help"],
        visibility="internal",
        applies_to=Context(product="Router X"),
        by="editor",
    )


def test_other_words_are_the_next_revision() -> None:
    after, fact = written(WRITTEN)
    assert after == Article("a", 3, False, OTHER)
    assert isinstance(fact, ArticleRevised)
    assert (fact.revision, fact.body, fact.applies_to) == (3, "Press it long.", None)


@pytest.mark.parametrize("condition", [Condition(), at(2), at(1, 2), Condition(present=True)])
def test_a_writer_who_knows_the_present_revision_may_write(condition: Condition) -> None:
    assert written(WRITTEN, condition=condition)[0].revision == 3


@pytest.mark.parametrize("condition", [at(1), at(3), at(), Condition(absent=True)])
def test_a_writer_who_knows_another_revision_is_refused(condition: Condition) -> None:
    with pytest.raises(ChangedMeanwhile) as refused:
        written(WRITTEN, condition=condition)
    assert refused.value.revision == 2


@pytest.mark.parametrize("condition", [at(1), Condition(present=True)])
@pytest.mark.parametrize("nothing", [NOBODY_WROTE, RETIRED])
def test_who_would_replace_an_article_that_is_not_there_is_refused(nothing: Article, condition: Condition) -> None:
    with pytest.raises(ChangedMeanwhile) as refused:
        written(nothing, condition=condition)
    assert refused.value.revision is None


@pytest.mark.parametrize("condition", [Condition(), at(1), at(2), Condition(absent=True)])
def test_the_same_words_again_change_nothing_whatever_the_condition_was(condition: Condition) -> None:
    assert written(WRITTEN, CONTENT, condition=condition) == (WRITTEN, None)


@pytest.mark.parametrize("content", [CONTENT, OTHER])
def test_words_that_come_late_bring_a_retired_article_back_as_a_new_revision(content: Content) -> None:
    after, fact = written(RETIRED, content, condition=Condition(absent=True))
    assert after == Article("a", 3, False, content)
    assert isinstance(fact, ArticlePublished)


def test_a_retired_article_is_told_by_its_last_revision() -> None:
    after = retire(WRITTEN, Retire("a", at(2)))
    assert after == RETIRED
    assert stated(WRITTEN, after, by=None) == ArticleRetired(article_id="a", revision=2)


def test_who_would_retire_another_revision_is_refused() -> None:
    with pytest.raises(ChangedMeanwhile):
        retire(WRITTEN, Retire("a", at(1)))


def test_an_article_that_nobody_wrote_cannot_be_retired() -> None:
    with pytest.raises(NoSuchArticle):
        retire(NOBODY_WROTE, Retire("a"))


@pytest.mark.parametrize("condition", [Condition(), at(1), at(2)])
def test_retired_again_it_stays_as_it_is(condition: Condition) -> None:
    after = retire(RETIRED, Retire("a", condition))
    assert (after, stated(RETIRED, after, by=None)) == (RETIRED, None)
