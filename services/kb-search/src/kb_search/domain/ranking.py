"""How search ranks: which of the words asked count, what an article's score is made of, and what is left out.

The words come as index terms (stems); the text index gives the BM25 sum of the terms in an article. All else is here,
pure, and described for readers in docs/search.md.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kb_search.domain.content import About
from kb_search.domain.fit import agreement

NAME: Final = "words-1"
"""Name and version of this way of ranking, told with each SuggestionShown: change it when a number changes."""

MOST_TERMS: Final = 24
"""Of a long message only so many terms are looked up: the rarest for what they weigh."""

LONGEST_TEXT: Final = 8_000
"""Characters of a question that are read, and of an article's text that a snippet is taken from."""

_MOST_WEIGHT: Final = 4.0
_NEUTRAL_RATINGS: Final = 5
_NEUTRAL_SCORE: Final = 3.0
_LEAST_OF_BEST: Final = 0.5
_LEAST_COVERED: Final = 0.2
_SNIPPET: Final = 240


@dataclass(frozen=True, slots=True)
class Passage:
    """Something said: `weight` tells how much its words count, 1 for plain ones."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Asked:
    """The terms that are looked up, with their weights, and what share of all information each is."""

    terms: Mapping[str, float]
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Told:
    """What an article says: its title, and its sentences with the index terms of each."""

    title: str
    sentences: tuple[tuple[str, frozenset[str]], ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An article that has some of the terms, as it stands in the index."""

    article_id: str
    revision: int
    language: str
    about: About
    ratings: int
    rating_sum: int
    words: frozenset[str]
    """Which of the terms asked it has."""
    relevance: float
    """The BM25 sum of these."""
    told: Callable[[], Told]
    """Reads what is shown of it; few of many candidates are."""


@dataclass(frozen=True, slots=True)
class Found:
    """An article in the answer."""

    article_id: str
    revision: int
    title: str
    snippet: str
    score: float


def weigh(passages: Iterable[Passage], terms_of: Callable[[str], Sequence[str]]) -> dict[str, float]:
    """The weight of each term said: the weights of the passages that it stands in, at most 4."""
    weights: defaultdict[str, float] = defaultdict(float)
    for passage in passages:
        for term in dict.fromkeys(terms_of(passage.text[:LONGEST_TEXT])):
            weights[term] = min(_MOST_WEIGHT, weights[term] + passage.weight)
    return dict(weights)


def choose(weights: Mapping[str, float], frequencies: Mapping[str, int], articles: int) -> Asked:
    """The terms worth looking up: in some article, and of these the ones that say most.

    A term says its weight times ln(1 + articles / articles that have it): what stands everywhere says little. What
    stands in no article counts into the shares all the same, as if one had it: who asks for it has not been answered.
    """
    said = {
        term: weight * math.log1p(max(articles, 1) / max(frequencies.get(term, 0), 1))
        for term, weight in weights.items()
    }
    known = sorted((term for term in said if frequencies.get(term)), key=lambda term: (-said[term], term))
    kept = known[:MOST_TERMS]
    total = sum(said[term] for term in said if term in kept or not frequencies.get(term)) or 1.0
    return Asked({term: weights[term] for term in kept}, {term: said[term] / total for term in kept})


def score(candidate: Candidate, asked: Asked, about: About, language: str | None) -> float:
    """Relevance, times the share of what was asked that it covers, agreement in context, and what readers thought."""
    covered = 0.5 + 0.5 * coverage(candidate, asked)
    fits = agreement(candidate.about, candidate.language, about, language)
    return candidate.relevance * covered * fits * usefulness(candidate.ratings, candidate.rating_sum)


def coverage(candidate: Candidate, asked: Asked) -> float:
    """The share of the information asked for that stands in the article, from 0 to 1."""
    return sum(asked.shares[term] for term in candidate.words)


def usefulness(ratings: int, rating_sum: int) -> float:
    """0.8 (all say 1) to 1.2 (all say 5); 1 without ratings, and a few move it little: five neutral ones are added."""
    mean = (rating_sum + _NEUTRAL_SCORE * _NEUTRAL_RATINGS) / (ratings + _NEUTRAL_RATINGS)
    return 0.8 + 0.1 * (mean - 1)


def rank(
    candidates: Iterable[Candidate], asked: Asked, about: About, language: str | None
) -> list[tuple[Candidate, float]]:
    """All of them, the best first; equal ones by their id."""
    scored = [(candidate, score(candidate, asked, about, language)) for candidate in candidates]
    return sorted(scored, key=lambda each: (-each[1], each[0].article_id))


def worth_showing(ranked: Sequence[tuple[Candidate, float]], asked: Asked) -> list[tuple[Candidate, float]]:
    """Of a ranking what may be shown to somebody who has not asked: an agent whose time a wrong article costs.

    At least a fifth of what was said must stand in the article, and its score be at least half of the best one's.
    """
    good = [(each, points) for each, points in ranked if coverage(each, asked) >= _LEAST_COVERED]
    return [(each, points) for each, points in good if points >= _LEAST_OF_BEST * good[0][1]]


def found(ranked: Iterable[tuple[Candidate, float]], asked: Asked) -> list[Found]:
    """What is shown of these."""
    shown = []
    for candidate, points in ranked:
        told = candidate.told()
        text = snippet(told.sentences, asked)
        shown.append(Found(candidate.article_id, candidate.revision, told.title, text, points))
    return shown


def snippet(sentences: Sequence[tuple[str, frozenset[str]]], asked: Asked) -> str:
    """The sentence that says most of what was asked, with those behind it as far as there is room; at most 240
    characters."""
    if not sentences:
        return ""
    best = max(range(len(sentences)), key=lambda n: (_said(sentences[n][1], asked), -n))
    shown = sentences[best][0]
    for sentence, _ in sentences[best + 1 :]:
        if len(shown) + 1 + len(sentence) > _SNIPPET:
            break
        shown = f"{shown} {sentence}"
    return shown if len(shown) <= _SNIPPET else f"{shown[: _SNIPPET - 1].rpartition(' ')[0] or shown[: _SNIPPET - 1]}…"


def _said(terms: frozenset[str], asked: Asked) -> float:
    return sum(asked.shares[term] for term in terms & asked.shares.keys())
