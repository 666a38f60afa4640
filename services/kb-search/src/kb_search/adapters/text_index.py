"""The text index: tantivy, in this process's memory, made anew from the tables at each start."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from tantivy import Document, Index, Occur, Query, Schema, SchemaBuilder, Searcher

from kb_search.adapters.kept import Kept, keep
from kb_search.adapters.words import Words
from kb_search.app.ports import Entry
from kb_search.domain.content import primary
from kb_search.domain.fit import FIELDS, Marks
from kb_search.domain.ranking import Candidate

_HEAP_BYTES: Final = 15_000_000  # the least that tantivy takes for a thread
_LANGUAGES: Final = 8
# How much a term counts in each field; `words` holds all terms of an article, the others some of them once more.
_FIELDS: Final = (("words", 1.0), ("title_words", 2.0), ("tag_words", 1.5))


@dataclass(frozen=True, slots=True)
class _State:
    """All that an answer is made of, as of one change: who changes it meanwhile, in a thread, makes another one."""

    searcher: Searcher
    kept: Mapping[int, Kept]
    languages: tuple[str, ...]


class TextIndex:
    """See `ports.Index`. Texts are made terms here and joined by blanks: each language's words in one field.

    A document has a number of its own, by which what is kept of it is found without tantivy's store.
    """

    def __init__(self) -> None:
        self._schema = _schema()
        self._index = Index(self._schema)
        self._writer = self._index.writer(_HEAP_BYTES, 1)
        self._state = _State(self._index.searcher(), {}, ())
        self._numbers: dict[str, int] = {}
        self._next = count(1)
        self._indexing, self._asking = Words(), Words()

    @property
    def articles(self) -> int:
        """See Index."""
        return len(self._state.kept)

    def terms(self, text: str, language: str | None) -> list[str]:
        """See Index."""
        spoken, languages = primary(language), self._state.languages
        if spoken is not None or len(languages) < 2:
            return self._asking.terms(text, spoken or (languages or ("en",))[0])
        return max((self._asking.terms(text, each) for each in languages), key=self._said)

    def frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """See Index."""
        searcher = self._state.searcher
        return {term: searcher.doc_freq("words", term) for term in terms}

    def candidates(self, terms: Mapping[str, float], accepted: Marks, most: int) -> list[Candidate]:
        """See Index."""
        state = self._state
        if not terms or not state.kept:
            return []
        hits = state.searcher.search(self._query(terms, accepted), limit=most, count=False).hits
        numbers = state.searcher.fast_field_values("number", [address for _, address in hits])
        found = (
            (state.kept[int(number or 0)], relevance) for number, (relevance, _) in zip(numbers, hits, strict=True)
        )
        return [_candidate(kept, relevance, terms) for kept, relevance in found]

    def change(self, entries: Sequence[Entry], gone: Iterable[str]) -> None:
        """See Index."""
        kept = dict(self._state.kept)
        for article_id in (*gone, *(entry.article_id for entry in entries)):
            self._writer.delete_documents_by_term("article_id", article_id)
            kept.pop(self._numbers.pop(article_id, 0), None)
        for entry in entries:
            number = self._numbers[entry.article_id] = next(self._next)
            kept[number], members = keep(entry, self._indexing)
            self._writer.add_document(Document.from_dict({**members, "number": number}, self._schema))
        self._writer.commit()
        self._index.reload()
        spoken = Counter(primary(each.language) or "" for each in kept.values())
        languages = tuple(language for language, _ in spoken.most_common(_LANGUAGES))
        self._state = _State(self._index.searcher(), kept, languages)

    def _said(self, terms: Iterable[str]) -> float:
        """How much of it our articles know: a text read in the wrong language has stems that nobody has."""
        counts = self.frequencies(set(terms)).values()
        return sum(math.log1p(self.articles / count) for count in counts if count)

    def _query(self, terms: Mapping[str, float], accepted: Marks) -> Query:
        """Any of the terms in any field, and one of the accepted marks in each field that is asked about."""
        any_of = Query.boolean_query(
            [
                (Occur.Should, Query.boost_query(Query.term_query(self._schema, field, term, "freq"), weight * boost))
                for term, weight in terms.items()
                for field, boost in _FIELDS
            ]
        )
        if not accepted:
            return any_of
        # Filters say yes or no: they must not add to the relevance.
        filters = (Query.term_set_query(self._schema, field, list(marks)) for field, marks in accepted.items())
        return Query.boolean_query(
            [(Occur.Must, any_of), *((Occur.Must, Query.const_score_query(each, 0.0)) for each in filters)]
        )


def _schema() -> Schema:
    builder = SchemaBuilder()
    for name in ("article_id", *FIELDS):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name, _ in _FIELDS:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    builder.add_unsigned_field("number", fast=True)
    return builder.build()


def _candidate(kept: Kept, relevance: float, terms: Mapping[str, float]) -> Candidate:
    return Candidate(
        article_id=kept.article_id,
        revision=kept.revision,
        language=kept.language,
        about=kept.about,
        ratings=kept.ratings,
        rating_sum=kept.rating_sum,
        words=frozenset(terms.keys() & set(kept.words.split())),
        relevance=relevance,
        told=kept.told,
    )
