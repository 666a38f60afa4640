"""Texts to index terms: lower case, no stop words, stems, no accents, by the language of the text."""

from typing import Final

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

from kb_search.domain.content import primary

_STEMMED: Final = {
    "ar": "arabic", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish", "fi": "finnish",
    "fr": "french", "hu": "hungarian", "it": "italian", "nl": "dutch", "no": "norwegian", "nb": "norwegian",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip
_WITH_STOP_WORDS: Final = frozenset(
    ("danish", "dutch", "english", "finnish", "french", "german", "hungarian", "italian", "norwegian", "portuguese",
     "russian", "spanish", "swedish")
)  # fmt: skip
_LONGEST_TERM: Final = 40


class Words:
    """Analysers by language, made when they are needed. One of these a thread: they take one text at a time."""

    def __init__(self) -> None:
        self._analyzers: dict[str, TextAnalyzer] = {}

    def terms(self, text: str, language: str | None) -> list[str]:
        """The terms in their order; of a language that is not known the words without stemming."""
        spoken = primary(language) or ""
        analyzer = self._analyzers.get(spoken)
        if analyzer is None:
            analyzer = self._analyzers[spoken] = _analyzer(_STEMMED.get(spoken))
        return list(analyzer.analyze(text))


def _analyzer(stemmed: str | None) -> TextAnalyzer:
    builder = TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.remove_long(_LONGEST_TERM))
    builder = builder.filter(Filter.lowercase())
    if stemmed in _WITH_STOP_WORDS:
        builder = builder.filter(Filter.stopword(stemmed))
    if stemmed == "english":
        # Its own words have no accents: foreign ones are brought to theirs without before they are cut.
        builder = builder.filter(Filter.ascii_fold())
    if stemmed is not None:
        builder = builder.filter(Filter.stemmer(stemmed))
    return builder.filter(Filter.ascii_fold()).build()
