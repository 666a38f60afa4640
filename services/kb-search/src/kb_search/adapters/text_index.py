"""The text index: tantivy, in this process's memory, made anew from the tables at each start."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
from tantivy import Document, Index, IndexWriter, Occur, Query, Schema, SchemaBuilder

from kb_search.adapters.words import Words
from kb_search.app.ports import Entry
from kb_search.domain.content import About, plain, primary
from kb_search.domain.fit import FIELDS, Marks, marks_of
from kb_search.domain.ranking import Candidate

_HEAP_BYTES: Final = 15_000_000  # the least that tantivy takes for a thread
_TITLE: Final = 2.0
_TAGS: Final = 1.5
_LANGUAGES: Final = 8


class TextIndex:
    """See `ports.Index`. Texts are made terms here and joined by blanks: each language's words in one field."""

    def __init__(self) -> None:
        self._schema = _schema()
        self._index = Index(self._schema)
        self._writer: IndexWriter = self._index.writer(_HEAP_BYTES, 1)
        self._searcher = self._index.searcher()
        self._indexing, self._asking = Words(), Words()
        self._spoken: dict[str, str] = {}
        self._languages: tuple[str, ...] = ()

    @property
    def articles(self) -> int:
        """See Index."""
        return self._searcher.num_docs

    def terms(self, text: str, language: str | None) -> list[str]:
        """See Index."""
        spoken = primary(language)
        if spoken is not None or len(self._languages) < 2:
            return self._asking.terms(text, spoken or (self._languages or ("en",))[0])
        return max((self._asking.terms(text, each) for each in self._languages), key=self._said)

    def frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """See Index."""
        return {term: self._searcher.doc_freq("words", term) for term in terms}

    def candidates(self, terms: Mapping[str, float], accepted: Marks, most: int) -> list[Candidate]:
        """See Index."""
        if not terms or not self.articles:
            return []
        query = Query.boolean_query([*self._any_of(terms), *self._filed(accepted)])
        hits = self._searcher.search(query, limit=most, count=False).hits
        return [_candidate(self._searcher.doc(address), relevance, terms) for relevance, address in hits]

    def change(self, entries: Sequence[Entry], gone: Iterable[str]) -> None:
        """See Index."""
        for article_id in (*gone, *(entry.article_id for entry in entries)):
            self._writer.delete_documents_by_term("article_id", article_id)
            self._spoken.pop(article_id, None)
        for entry in entries:
            self._writer.add_document(self._document(entry))
            self._spoken[entry.article_id] = primary(entry.content.language) or ""
        self._writer.commit()
        self._index.reload()
        self._searcher = self._index.searcher()
        self._languages = tuple(language for language, _ in Counter(self._spoken.values()).most_common(_LANGUAGES))

    def _said(self, terms: Iterable[str]) -> float:
        """How much of it our articles know: a text read in the wrong language has stems that nobody has."""
        counts = self.frequencies(set(terms)).values()
        return sum(math.log1p(self.articles / count) for count in counts if count)

    def _any_of(self, terms: Mapping[str, float]) -> list[tuple[Occur, Query]]:
        """Each term in any field; the sum of these is the relevance."""
        wanted = [
            Query.boost_query(Query.term_query(self._schema, field, term, "freq"), weight * boost)
            for term, weight in terms.items()
            for field, boost in (("words", 1.0), ("title_words", _TITLE), ("tag_words", _TAGS))
        ]
        return [(Occur.Must, Query.boolean_query([(Occur.Should, each) for each in wanted]))]

    def _filed(self, accepted: Marks) -> list[tuple[Occur, Query]]:
        """Filters say yes or no: they must not add to the relevance."""
        filters = (Query.term_set_query(self._schema, field, list(marks)) for field, marks in accepted.items())
        return [(Occur.Must, Query.const_score_query(each, 0.0)) for each in filters]

    def _document(self, entry: Entry) -> Document:
        content, language = entry.content, entry.content.language
        text = plain(content.body)
        title, tags = (self._indexing.terms(each, language) for each in (content.title, " ".join(content.tags)))
        words = [*title, *tags, *self._indexing.terms(text, language)]
        about = content.about
        kept = {
            "revision": entry.revision,
            "title": content.title,
            "text": text,
            "language": language,
            "about": [about.product, about.version, about.os],
            "ratings": entry.ratings,
            "rating_sum": entry.rating_sum,
            "words": " ".join(dict.fromkeys(words)),
        }
        members: dict[str, Any] = {
            "article_id": entry.article_id,
            "kept": orjson.dumps(kept),
            "words": " ".join(words),
            "title_words": " ".join(title),
            "tag_words": " ".join(tags),
        }
        filed = {field: list(marks) for field, marks in marks_of(about, language).items()}
        return Document.from_dict(members | filed, self._schema)


def _schema() -> Schema:
    """`words` holds all terms of an article, the other two some of them once more, for their greater weight; `kept` is
    what is needed of an article that was found."""
    builder = SchemaBuilder()
    for name in ("article_id", *FIELDS):
        builder.add_text_field(name, stored=name == "article_id", tokenizer_name="raw", index_option="basic")
    for name in ("words", "title_words", "tag_words"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    builder.add_bytes_field("kept", stored=True)
    return builder.build()


def _candidate(found: Document, relevance: float, terms: Mapping[str, float]) -> Candidate:
    kept = orjson.loads(found["kept"][0])
    return Candidate(
        article_id=found["article_id"][0],
        revision=kept["revision"],
        title=kept["title"],
        text=kept["text"],
        language=kept["language"],
        about=About(*kept["about"]),
        ratings=kept["ratings"],
        rating_sum=kept["rating_sum"],
        words=frozenset(terms.keys() & set(kept["words"].split())),
        relevance=relevance,
    )
