"""Suggestions for a request: what of its words is looked up, when there is news to show, and which one helped."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from events.contacts.suggestions import Suggestion, SuggestionShown, SuggestionUsed
from kb_search.domain.content import About
from kb_search.domain.ranking import NAME, Found, Passage

MOST_SHOWN: Final = 5
"""So many articles are shown for a request at most."""

_SUBJECT: Final = 2.0
_SEARCHED: Final = 1.5
_BODY: Final = 1.0
_EARLIER: Final = 0.5


@dataclass(frozen=True, slots=True)
class Said:
    """What the customer said in one contact or message, opened; `facts` are the event's members."""

    event_id: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Matter:
    """What a request is about, as far as it was said: of two that name the same thing the later counts."""

    about: About
    language: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """An article as it stands in a request's list, or last stood there: its place from 1, and whether it still does."""

    article_id: str
    revision: int
    place: int
    event_id: str
    listed: bool


@dataclass(frozen=True, slots=True)
class Used:
    """An order: the agent (None where nobody is named) worked with this article for this request."""

    request_id: str
    article_id: str
    agent_id: str | None = None
    leg: int | None = None


def passages_of(said: Sequence[Said]) -> list[Passage]:
    """What is looked up of all that was said: the last in full, and each before it with half the weight of the next.

    So a message that says nothing ("are you there?") leaves the others as they stand to one another. A subject
    counts twice, what the customer himself searched for before he made contact one and a half times.
    """
    passages: list[Passage] = []
    for age, each in enumerate(reversed(said)):
        factor = _EARLIER**age
        passages += [Passage(text, weight * factor) for text, weight in _texts(each.facts)]
    return passages


def matter_of(facts: Mapping[str, Any]) -> Matter:
    """What a contact or message names of what it is about; what it does not name is None."""
    context = facts.get("context")
    named: Mapping[str, Any] = context if isinstance(context, Mapping) else {}
    about = About(_text(named.get("product")), _text(named.get("version")), _text(named.get("os")))
    return Matter(about, _text(facts.get("language")))


def shown(before: Iterable[Listed], found: Sequence[Found], *, found_for: str) -> SuggestionShown | None:
    """The fact that these articles are shown now; None where the list stays as it is."""
    now = [(each.article_id, each.revision) for each in found]
    present = sorted((each for each in before if each.listed), key=lambda each: each.place)
    if now == [(each.article_id, each.revision) for each in present]:
        return None
    suggestions = [Suggestion(article_id=f.article_id, revision=f.revision, score=round(f.score, 3)) for f in found]
    return SuggestionShown(suggestions=suggestions, ranking=NAME, found_for=found_for)


def used(command: Used, *, revision: int, stood: Listed | None) -> SuggestionUsed:
    """The fact that an article was used. One that stood in the list counts as it stood there, for the agent may have
    opened it before the list changed; `revision` is the article's present one."""
    told: dict[str, Any] = {"article_id": command.article_id, "revision": stood.revision if stood else revision}
    told |= {"place": stood.place} if stood else {}
    told |= {"agent_id": command.agent_id} if command.agent_id is not None else {}
    told |= {"leg": command.leg} if command.leg is not None else {}
    return SuggestionUsed(**told)


def _texts(facts: Mapping[str, Any]) -> Iterable[tuple[str, float]]:
    if subject := _text(facts.get("subject")):
        yield subject, _SUBJECT
    if body := _text(facts.get("body")):
        yield body, _BODY
    session = facts.get("session")
    for step in session if isinstance(session, list) else []:
        if isinstance(step, Mapping) and (detail := _text(step.get("detail"))):
            yield detail, _SEARCHED if step.get("action") == "search" else _BODY


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
