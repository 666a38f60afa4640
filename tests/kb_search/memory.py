"""The text index in memory: small, right, and slow."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from kb_search.app.ports import Entry
from kb_search.domain.content import plain, sentences
from kb_search.domain.fit import Marks, allows, marks_of
from kb_search.domain.ranking import Candidate, Told

_STOP = frozenset({"a", "and", "for", "i", "in", "is", "it", "my", "not", "of", "the", "to", "was", "your"})


class MemoryIndex:
    """`ports.Index` in memory, with words in lower case for terms, and without stems."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    @property
    def articles(self) -> int:
        return len(self._entries)

    def terms(self, text: str, language: str | None) -> list[str]:
        return [word for word in re.findall(r"\w+", text.lower()) if word not in _STOP]

    def frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        return {term: sum(term in self._words(entry) for entry in self._entries.values()) for term in terms}

    def candidates(self, terms: Mapping[str, float], accepted: Marks, most: int) -> list[Candidate]:
        fitting = [
            entry
            for entry in self._entries.values()
            if allows(marks_of(entry.content.about, entry.content.language), accepted)
        ]
        counts = self.frequencies(terms)
        found = [self._candidate(entry, terms, counts) for entry in fitting]
        hits = [each for each in found if each.words]
        return sorted(hits, key=lambda each: -each.relevance)[:most]

    def change(self, entries: Sequence[Entry], gone: Iterable[str]) -> None:
        for article_id in gone:
            self._entries.pop(article_id, None)
        self._entries.update((entry.article_id, entry) for entry in entries)

    def _words(self, entry: Entry) -> set[str]:
        content = entry.content
        return set(self.terms(" ".join((content.title, plain(content.body), *content.tags)), None))

    def _candidate(self, entry: Entry, terms: Mapping[str, float], counts: Mapping[str, int]) -> Candidate:
        words = frozenset(terms.keys() & self._words(entry))
        title = set(self.terms(entry.content.title, None))
        rarity = {term: math.log1p(self.articles / counts[term]) for term in words}
        relevance = sum(terms[term] * rarity[term] * (3 if term in title else 1) for term in words)
        return Candidate(
            entry.article_id,
            entry.revision,
            entry.content.language,
            entry.content.about,
            entry.ratings,
            entry.rating_sum,
            words,
            relevance,
            lambda: self._told(entry),
        )

    def _told(self, entry: Entry) -> Told:
        told = tuple((each, frozenset(self.terms(each, None))) for each in sentences(plain(entry.content.body)))
        return Told(entry.content.title, told)
