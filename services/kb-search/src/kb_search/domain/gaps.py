"""What was asked and not found, kept so that it tells what to write and nothing of a person."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

Source = Literal["search", "contacts"]

LONGEST: Final = 200
MOST_TERMS: Final = 12


def asked_in_search(query: str) -> str:
    """A search that found nothing, as it is kept: in lower case, blanks made one, at most 200 characters."""
    return " ".join(query.casefold().split())[:LONGEST]


def asked_in_contact(weights: Mapping[str, float], frequencies: Mapping[str, int]) -> list[str]:
    """Of the words of a contact that was shown nothing: those that some article has too, the weightiest first.

    A customer's other words may be names and numbers; only our own articles' words are counted in the open.
    """
    ours: Iterable[str] = (term for term in weights if frequencies.get(term) and not term.isdigit())
    return sorted(ours, key=lambda term: (-weights[term], term))[:MOST_TERMS]
