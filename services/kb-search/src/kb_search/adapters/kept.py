"""What is kept of an article beside the text index: what ranking asks of each candidate at hand, the rest packed."""

import zlib
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import orjson

from kb_search.adapters.words import Words
from kb_search.app.ports import Entry
from kb_search.domain.content import About, plain, sentences
from kb_search.domain.fit import marks_of
from kb_search.domain.ranking import LONGEST_TEXT, Told

_LEVEL: Final = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """One article. `words` are its terms with blanks between, each once."""

    article_id: str
    revision: int
    language: str
    about: About
    ratings: int
    rating_sum: int
    words: str
    packed: bytes

    def told(self) -> Told:
        """The title, and the sentences of the first 8,000 characters with their terms."""
        title, told = orjson.loads(zlib.decompress(self.packed))
        return Told(title, tuple((sentence, frozenset(terms.split())) for sentence, terms in told))


def keep(entry: Entry, words: Words) -> tuple[Kept, dict[str, Any]]:
    """What is kept of an article, and the members of its document: the terms of all of it, of its title, of its tags,
    and what it is filed under."""
    content, language = entry.content, entry.content.language
    text = plain(content.body)
    title, tags = words.terms(content.title, language), words.terms(" ".join(content.tags), language)
    first = [(each, words.terms(each, language)) for each in sentences(text[:LONGEST_TEXT])]
    rest = words.terms(text[LONGEST_TEXT:], language) if len(text) > LONGEST_TEXT else []
    terms = [*title, *tags, *chain.from_iterable(each for _, each in first), *rest]
    told = orjson.dumps([content.title, [[sentence, " ".join(each)] for sentence, each in first]])
    kept = Kept(
        article_id=entry.article_id,
        revision=entry.revision,
        language=language,
        about=content.about,
        ratings=entry.ratings,
        rating_sum=entry.rating_sum,
        words=" ".join(dict.fromkeys(terms)),
        packed=zlib.compress(told, _LEVEL),
    )
    document = {"words": " ".join(terms), "title_words": " ".join(title), "tag_words": " ".join(tags)}
    filed = {field: list(marks) for field, marks in marks_of(content.about, language).items()}
    return kept, {"article_id": entry.article_id, **document, **filed}
