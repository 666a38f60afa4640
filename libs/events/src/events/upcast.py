"""How data of an older version becomes data of the newest one, a step at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from events.catalogue import CATALOGUE

Members: TypeAlias = dict[str, Any]
Change: TypeAlias = Callable[[Members], Members]


def _as_it_is(members: Members) -> Members:
    return members


@dataclass(frozen=True, slots=True)
class Step:
    """From one version of a type to the next.

    Public and personal members are changed apart, since a reader without the key has the public ones alone. A change
    gets the members that are there and must bear the absence of any that is optional.
    """

    public: Change = _as_it_is
    personal: Change = _as_it_is


@dataclass(frozen=True, slots=True)
class Versions:
    """The newest version of each type that is known, and the steps that lead there.

    ValueError where a step is missing or leads nowhere.
    """

    newest: Mapping[str, int]
    steps: Mapping[tuple[str, int], Step]

    def __post_init__(self) -> None:
        needed = {(name, version) for name, newest in self.newest.items() for version in range(1, newest)}
        if wrong := needed ^ self.steps.keys():
            raise ValueError(f"steps and versions do not fit: {sorted(wrong)}")

    def know(self, name: str, version: int) -> bool:
        """Whether data of this type and version can be read for what they are; a future version cannot."""
        return 1 <= version <= self.newest.get(name, 0)

    def public(self, name: str, version: int, members: Members) -> Members:
        """Public members of `version` as the newest version has them."""
        for step in range(version, self.newest[name]):
            members = self.steps[name, step].public(members)
        return members

    def personal(self, name: str, version: int, members: Members) -> Members:
        """Personal members of `version` as the newest version has them."""
        for step in range(version, self.newest[name]):
            members = self.steps[name, step].personal(members)
        return members


STEPS: Final[Mapping[tuple[str, int], Step]] = {}
"""(type, version) → the step to the next version. Empty as long as every type is in its first version."""

VERSIONS: Final = Versions({name: known.version for name, known in CATALOGUE.items()}, STEPS)
