"""Synthetic articles and the questions that they answer: the same for the same seed, no text of anybody's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, product

from kb_search.app.ports import Entry
from kb_search.domain.content import Content

_ONSETS = (
    "b",
    "br",
    "c",
    "ch",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "pl",
    "r",
    "s",
    "sh",
    "st",
    "t",
    "v",
    "w",
)
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "ou")
_WORDS = 6_000
_TOPICS = 300
_OF_A_TOPIC = 40


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks, and the article that it was made from."""

    text: str
    article_id: str


class Shelf:
    """A language of invented words, of which few are said often and most rarely (Zipf), and topics of 40 words each."""

    def __init__(self, seed: int = 7) -> None:
        self._draw = random.Random(seed)
        syllables = ["".join(parts) for parts in product(_ONSETS, _VOWELS)]
        words = {self._word(syllables) for _ in range(3 * _WORDS)}
        self._words = sorted(words)[:_WORDS]
        self._draw.shuffle(self._words)
        self._weights = list(accumulate(1 / (rank + 10) for rank in range(len(self._words))))
        self._topics = [self._draw.sample(self._words, _OF_A_TOPIC) for _ in range(_TOPICS)]

    def articles(self, count: int) -> list[Entry]:
        """So many, of 120 words or so, half of them of one topic."""
        return [self._article(number) for number in range(count)]

    def questions(self, entries: list[Entry], count: int) -> Iterator[Question]:
        """So many, each of a few words of an article's title and text among some that anybody says."""
        for entry in self._draw.choices(entries, k=count):
            title, body = entry.content.title.split(), entry.content.body.split()
            words = [*self._draw.sample(title, 2), *self._draw.sample(body, 5), *self._common(5)]
            self._draw.shuffle(words)
            yield Question(" ".join(words), entry.article_id)

    def _article(self, number: int) -> Entry:
        topic = self._draw.choice(self._topics)
        title = [*self._draw.sample(topic, 3), *self._common(2)]
        body = [*self._draw.choices(topic, k=60), *self._common(60)]
        self._draw.shuffle(body)
        text = ". ".join(" ".join(body[at : at + 10]) for at in range(0, len(body), 10))
        return Entry(f"article-{number}", 1, Content(" ".join(title), text, "en", tuple(topic[:2])))

    def _common(self, count: int) -> list[str]:
        return self._draw.choices(self._words, cum_weights=self._weights, k=count)

    def _word(self, syllables: list[str]) -> str:
        return "".join(self._draw.choices(syllables, k=self._draw.choice((2, 2, 3)))) + self._draw.choice("lmnrst")
