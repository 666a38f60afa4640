"""Ratings: one word a reader, article and request; the last one counts."""

from __future__ import annotations

import pytest

from events.knowledge import ArticleRated
from kb_search.domain.ratings import Rate, Rating, moved, rated

BEFORE = Rating(3, 2, "e-1")


def test_a_first_rating_is_told_with_the_present_revision() -> None:
    command = Rate("a", 5, "agent-1", "r-1")
    assert rated(command, None, revision=4) == ArticleRated(
        article_id="a", revision=4, score=5, agent_id="agent-1", request_id="r-1"
    )
    assert moved(command, None) == (1, 5)


def test_another_word_of_the_same_reader_replaces_his_first() -> None:
    command = Rate("a", 1, "agent-1", revision=2)
    assert rated(command, BEFORE, revision=4) == ArticleRated(article_id="a", revision=2, score=1, agent_id="agent-1")
    assert moved(command, BEFORE) == (0, -2)


def test_the_same_word_again_changes_nothing() -> None:
    assert rated(Rate("a", 3, "agent-1"), BEFORE, revision=2) is None


@pytest.mark.parametrize("revision", [None, 3])
def test_the_same_score_for_a_later_revision_is_another_word(revision: int | None) -> None:
    assert rated(Rate("a", 3, "agent-1", revision=revision), BEFORE, revision=3) is not None
