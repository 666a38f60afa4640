"""What becomes of an article: published, revised, retired; every revision stays."""

from dataclasses import dataclass, replace
from typing import Any

from events.base import Fact
from events.contacts.contact import Context
from events.knowledge import ArticlePublished, ArticleRetired, ArticleRevised
from kb_search.domain.content import About, Content


@dataclass(frozen=True, slots=True)
class Article:
    """An article as it stands; revision 0 is one that nobody has written yet."""

    article_id: str
    revision: int = 0
    retired: bool = False
    content: Content | None = None

    @property
    def is_found(self) -> bool:
        """Whether it is there for readers: written, and not retired."""
        return self.revision > 0 and not self.retired


@dataclass(frozen=True, slots=True)
class Condition:
    """What the writer believes of the article: that it is at one of these revisions (None for any), that there is one,
    or that there is none."""

    revisions: frozenset[int] | None = None
    present: bool = False
    absent: bool = False

    def holds(self, revision: int | None) -> bool:
        """Of an article at this revision; None where none is found."""
        if revision is None:
            return not self.present and self.revisions is None
        return not self.absent and (self.revisions is None or revision in self.revisions)


WHATEVER = Condition()


@dataclass(frozen=True, slots=True)
class Put:
    """Let an article say this, on a condition of the writer's."""

    article_id: str
    content: Content
    condition: Condition = WHATEVER
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Retire:
    """Let an article not be found any more."""

    article_id: str
    condition: Condition = WHATEVER
    by: str | None = None


class ChangedMeanwhile(Exception):
    """The article is not the one that the writer has read; `revision` is what there is, None where there is none."""

    def __init__(self, revision: int | None) -> None:
        super().__init__(f"revision {revision}")
        self.revision = revision


class NoSuchArticle(Exception):
    """Nobody has written it."""


def put(article: Article, command: Put) -> Article:
    """The article after a Put; itself where it says that already. Raises ChangedMeanwhile.

    A Put that was carried out before and comes again with its old condition is no conflict (RFC 9110, 13.1.1): it is
    what the writer wanted.
    """
    if article.is_found and article.content == command.content:
        return article
    _must_be(article, command.condition)
    return replace(article, revision=article.revision + 1, retired=False, content=command.content)


def retire(article: Article, command: Retire) -> Article:
    """The article after a Retire; itself where it is retired already. Raises NoSuchArticle, ChangedMeanwhile."""
    if article.revision == 0:
        raise NoSuchArticle(article.article_id)
    if article.retired:
        return article
    _must_be(article, command.condition)
    return replace(article, retired=True)


def stated(before: Article, after: Article, *, by: str | None) -> Fact | None:
    """The fact that turned one into the other; None where nothing happened."""
    if after == before:
        return None
    said: dict[str, Any] = {} if by is None else {"by": by}
    if after.retired:
        return ArticleRetired(article_id=after.article_id, revision=after.revision, **said)
    model = ArticleRevised if before.is_found else ArticlePublished
    return model.model_validate({**_told(after), **said})


def _must_be(article: Article, condition: Condition) -> None:
    present = article.revision if article.is_found else None
    if not condition.holds(present):
        raise ChangedMeanwhile(present)


def _told(article: Article) -> dict[str, Any]:
    content = article.content
    assert content is not None
    told: dict[str, Any] = {
        "article_id": article.article_id,
        "revision": article.revision,
        "title": content.title,
        "body": content.body,
        "language": content.language,
        "tags": list(content.tags),
        "visibility": content.visibility,
    }
    about = _context(content.about)
    return told if about is None else told | {"applies_to": about}


def _context(about: About) -> Context | None:
    given = {"product": about.product, "version": about.version, "os": about.os}
    said = {name: value for name, value in given.items() if value is not None}
    return Context(**said) if said else None
