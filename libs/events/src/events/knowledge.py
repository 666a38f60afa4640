"""The topic `knowledge`: articles, by revision, and what readers thought of them."""

from typing import Literal

from events.base import Fact, Name, RequestId, Text, Version
from events.contacts.contact import Context, Score

Visibility = Literal["internal", "public"]


class Article(Fact):
    """An article as it stands in this revision, in whole."""

    article_id: Name
    revision: Version
    title: Text
    body: Text
    """Markdown."""
    language: Text
    tags: list[Name]
    visibility: Visibility
    applies_to: Context | None = None
    """What it is about; anything where it is not said."""
    by: Text | None = None


class ArticlePublished(Article):
    """An article can be found from now on."""


class ArticleRevised(Article):
    """An article has new words."""


class ArticleRetired(Fact):
    """An article is not found any more; its revisions can still be read."""

    article_id: Name
    revision: Version
    """The last one."""
    reason: Text | None = None
    by: Text | None = None


class ArticleRated(Fact):
    """A reader said whether an article helped."""

    article_id: Name
    revision: Version
    score: Score
    """5 is best."""
    agent_id: Name | None = None
    request_id: RequestId | None = None
    """The request that he read it for."""
