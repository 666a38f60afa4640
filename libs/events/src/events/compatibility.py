"""Whether a schema may take an older one's place under the same version: only if it adds optional members.

Then new readers read old events, and old readers, who pass over what they do not know, read new ones.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_REMARKS: Final = frozenset({"title", "description", "examples", "default", "$id", "$schema", "$comment"})


def breaks(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What stands against it, a line each with the place in the schema; empty where nothing does.

    Stricter than it need be: a wider enum or range counts as a break, since an old reader knows it not.
    """
    return list(_breaks(old, new, "#"))


def _breaks(old: Any, new: Any, place: str) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for word in (old.keys() | new.keys()) - _REMARKS:
            yield from _breaks_in(word, old, new, f"{place}/{word}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _breaks(before, after, f"{place}/{number}")
    elif old != new:
        yield f"{place}: {old!r} became {new!r}"


def _breaks_in(word: str, old: Mapping[str, Any], new: Mapping[str, Any], place: str) -> Iterator[str]:
    if word == "properties":
        yield from _breaks_of_members(old.get(word, {}), new.get(word, {}), place)
    elif word == "$defs":
        # A definition counts where it is referred to: one that is gone shows there.
        shared = old.get(word, {}).keys() & new.get(word, {}).keys()
        for name in sorted(shared):
            yield from _breaks(old[word][name], new[word][name], f"{place}/{name}")
    elif word == "required":
        if changed := set(old.get(word, ())) ^ set(new.get(word, ())):
            yield f"{place}: {', '.join(sorted(changed))} became required, or is not any more"
    elif word not in old or word not in new:
        yield f"{place}: was {'added' if word in new else 'removed'}"
    else:
        yield from _breaks(old[word], new[word], place)


def _breaks_of_members(old: Mapping[str, Any], new: Mapping[str, Any], place: str) -> Iterator[str]:
    for name in sorted(old.keys() - new.keys()):
        yield f"{place}/{name}: was removed"
    for name in sorted(old.keys() & new.keys()):
        yield from _breaks(old[name], new[name], f"{place}/{name}")
