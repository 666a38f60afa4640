"""Search: what was asked becomes terms, terms find candidates, and these are ranked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from chassis.errors import Unavailable
from chassis.metrics import Metrics
from kb_search.app.ports import Freshness, Index
from kb_search.domain.content import About
from kb_search.domain.fit import accepted
from kb_search.domain.gaps import asked_in_search
from kb_search.domain.ranking import (
    Asked,
    Found,
    Passage,
    choose,
    found,
    rank,
    weigh,
    worth_showing,
)
from kb_search.domain.suggestions import MOST_SHOWN, Matter
from kb_search.metrics import SEARCH_SECONDS

MOST: Final = 1_000
"""No search goes deeper."""

_LOOKED_AT: Final = 30


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks; `language` lets articles in no other language pass."""

    text: str
    about: About
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Lookup:
    """What was found for the words of a request, and of these words the weights and in how many articles each is."""

    found: tuple[Found, ...]
    weights: dict[str, float]
    frequencies: dict[str, int]


class Searching:
    """Looks into the index. Raises Unavailable while not all articles are in it: half an answer would be wrong."""

    def __init__(self, index: Index, freshness: Freshness, missed: Callable[[str], None], metrics: Metrics) -> None:
        """`missed` is told what a search asked that found nothing."""
        self._index = index
        self._freshness = freshness
        self._missed = missed
        self._seconds = metrics.histogram(SEARCH_SECONDS)

    def search(self, question: Question, *, offset: int, limit: int) -> tuple[list[Found], bool]:
        """The articles from a place in the ranking on, and whether there are more behind."""
        self._must_be_whole()
        began = perf_counter()
        asked, _, _ = self._asked([Passage(question.text)], question.language)
        most = min(MOST, max(_LOOKED_AT, 2 * (offset + limit + 1)))
        candidates = self._index.candidates(asked.terms, accepted(question.about, question.language), most)
        ranked = rank(candidates, asked, question.about, question.language)
        shown = found(ranked[offset : offset + limit], asked)
        self._seconds.observe(perf_counter() - began)
        if not ranked and (missed := asked_in_search(question.text)):
            self._missed(missed)
        return shown, len(ranked) > offset + limit and offset + limit < MOST

    def look_up(self, passages: Sequence[Passage], matter: Matter) -> Lookup:
        """The few articles that are worth showing to somebody who has not asked.

        The customer's language makes articles in it come first and hides no others: agents may read more languages.
        """
        self._must_be_whole()
        began = perf_counter()
        asked, weights, frequencies = self._asked(passages, matter.language)
        candidates = self._index.candidates(asked.terms, accepted(matter.about), _LOOKED_AT)
        ranked = rank(candidates, asked, matter.about, matter.language)
        shown = found(worth_showing(ranked, asked)[:MOST_SHOWN], asked)
        self._seconds.observe(perf_counter() - began)
        return Lookup(tuple(shown), weights, frequencies)

    def _asked(
        self, passages: Sequence[Passage], language: str | None
    ) -> tuple[Asked, dict[str, float], dict[str, int]]:
        weights = weigh(passages, lambda text: self._index.terms(text, language))
        frequencies = self._index.frequencies(weights)
        return choose(weights, frequencies, self._index.articles), weights, frequencies

    def _must_be_whole(self) -> None:
        if not self._freshness.is_whole:
            raise Unavailable("The articles are still being read: ask again in a moment.")
