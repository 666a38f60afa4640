"""What the answers look like, for the OpenAPI document: they are written without passing through these."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Part of an answer."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class About(Part):
    """What an article is about; null: anything."""

    product: str | None
    version: str | None
    os: str | None


class Ratings(Part):
    """What readers thought of an article, over all its revisions."""

    count: int
    mean: float | None


class ArticleObject(Part):
    """One revision of an article, with what is known of the article as a whole."""

    article_id: str
    revision: int
    title: str
    body: str
    language: str
    tags: list[str]
    applies_to: About
    visibility: Literal["internal", "public"]
    by: str | None
    """Whose token wrote this revision."""
    revised_at: str
    latest_revision: int
    retired: bool
    ratings: Ratings
    used: int
    """How often an agent worked with it."""


class ArticlePage(Part):
    """By article id."""

    items: list[ArticleObject]
    next_cursor: str | None


class FoundItem(Part):
    """An article that was found."""

    article_id: str
    title: str
    snippet: str
    score: float
    """Comparable within one answer alone."""
    revision: int


class FoundPage(Part):
    """The best first."""

    items: list[FoundItem]
    next_cursor: str | None


class UseObject(Part):
    """A use as it was stated."""

    request_id: str
    article_id: str
    revision: int
    place: int | None
    """Where the article stood in the list, from 1; null where it never did."""
    event_id: str


class RatingObject(Part):
    """A rating as it was stated."""

    article_id: str
    revision: int
    score: int
    event_id: str


class BookmarkObject(Part):
    """An agent's mark on an article, with the article's present title and revision."""

    agent_id: str
    article_id: str
    title: str
    revision: int
    retired: bool
    shared_with: list[str]
    bookmarked_at: str


class BookmarkPage(Part):
    """By owner and article."""

    items: list[BookmarkObject]
    next_cursor: str | None


class GapItem(Part):
    """What was asked and not found."""

    source: Literal["search", "contacts"]
    asked: str
    """Of a search its words; of contacts one index term that our own articles have too."""
    times: int
    first_at: str
    last_at: str


class GapPage(Part):
    """The most asked first."""

    items: list[GapItem]
    next_cursor: str | None
