"""What readers thought of an article: one word a reader, article and request, the last one counts."""

from dataclasses import dataclass
from typing import Any

from events.knowledge import ArticleRated


@dataclass(frozen=True, slots=True)
class Rate:
    """An order: this reader found that an article helped (5) or did not (1), while he read it for a request.

    `revision` is the one that he read, None for the present one.
    """

    article_id: str
    score: int
    agent_id: str | None = None
    request_id: str | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Rating:
    """What he had said before, and the event that told it."""

    score: int
    revision: int
    event_id: str


def rated(command: Rate, before: Rating | None, *, revision: int) -> ArticleRated | None:
    """The fact; None where he says what he said before. `revision` is the article's last one."""
    read = command.revision or revision
    if before is not None and (before.score, before.revision) == (command.score, read):
        return None
    told: dict[str, Any] = {"article_id": command.article_id, "revision": read, "score": command.score}
    told |= {"agent_id": command.agent_id} if command.agent_id is not None else {}
    told |= {"request_id": command.request_id} if command.request_id is not None else {}
    return ArticleRated(**told)


def moved(command: Rate, before: Rating | None) -> tuple[int, int]:
    """By how much the article's number of ratings and their sum change."""
    return (0, command.score - before.score) if before else (1, command.score)
