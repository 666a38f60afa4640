"""Answers as the contract has them."""

from typing import Any, Final

import orjson

from events.times import to_text
from kb_search.app.ports import Bookmark, Gap, Revision, Shown, Standing
from kb_search.domain.ranking import Found

Json = dict[str, Any]

_DECIMALS: Final = 3


def rendered(value: Json) -> bytes:
    """As bytes."""
    return orjson.dumps(value)


def article_object(standing: Standing, revision: Revision) -> Json:
    """One revision of an article, with what is known of the article as a whole."""
    content = revision.content
    about = content.about
    mean = round(standing.rating_sum / standing.ratings, 2) if standing.ratings else None
    return {
        "article_id": revision.article_id,
        "revision": revision.revision,
        "title": content.title,
        "body": content.body,
        "language": content.language,
        "tags": list(content.tags),
        "applies_to": {"product": about.product, "version": about.version, "os": about.os},
        "visibility": content.visibility,
        "by": revision.by,
        "revised_at": to_text(revision.stated_us),
        "latest_revision": standing.article.revision,
        "retired": standing.article.retired,
        "ratings": {"count": standing.ratings, "mean": mean},
        "used": standing.uses,
    }


def found_object(found: Found | Shown) -> Json:
    """An article in a list of search or of suggestions."""
    return {
        "article_id": found.article_id,
        "title": found.title,
        "snippet": found.snippet,
        "score": round(found.score, _DECIMALS),
        "revision": found.revision,
    }


def bookmark_object(bookmark: Bookmark) -> Json:
    """A bookmark with the present title of its article."""
    return {
        "agent_id": bookmark.agent_id,
        "article_id": bookmark.article_id,
        "title": bookmark.title,
        "revision": bookmark.revision,
        "retired": bookmark.retired,
        "shared_with": list(bookmark.shared_with),
        "bookmarked_at": to_text(bookmark.made_us),
    }


def gap_object(gap: Gap) -> Json:
    """What was asked and not found."""
    return {
        "source": gap.source,
        "asked": gap.asked,
        "times": gap.times,
        "first_at": to_text(gap.first_us),
        "last_at": to_text(gap.last_us),
    }
