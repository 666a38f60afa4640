"""A place in the whole log: the next offset of every partition, as one opaque word for those who read on from it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

Partition: TypeAlias = tuple[str, int]


class Vector:
    """The next offset of each partition of a deployment, whose partitions never change. Immutable."""

    __slots__ = ("_layout", "_offsets")

    def __init__(self, layout: Sequence[Partition], offsets: Mapping[Partition, int]) -> None:
        """`layout` names all partitions in their order; one without an offset begins at 0."""
        self._layout = layout
        self._offsets = {partition: offsets.get(partition, 0) for partition in layout}

    def __getitem__(self, partition: Partition) -> int:
        return self._offsets[partition]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vector) and self.numbers() == other.numbers()

    __hash__ = None  # type: ignore[assignment]  # equal by value, so never hashed; mypy knows no such class

    def numbers(self) -> list[int]:
        """The offsets in the layout's order."""
        return [self._offsets[partition] for partition in self._layout]

    def moved(self, to: Mapping[Partition, int]) -> "Vector":
        """A vector that is at `to` in these partitions, and never before where this one is."""
        ahead = {partition: max(offset, self._offsets[partition]) for partition, offset in to.items()}
        return Vector(self._layout, self._offsets | ahead)

    def behind(self, ends: Mapping[Partition, int]) -> list[Partition]:
        """The partitions that have more, in the layout's order."""
        return [partition for partition in self._layout if self._offsets[partition] < ends.get(partition, 0)]


def layout_of(counts: Iterable[tuple[str, int]]) -> list[Partition]:
    """Every partition of topics with so many each."""
    return [(topic, partition) for topic, count in counts for partition in range(count)]


def vector_of(layout: Sequence[Partition], numbers: Sequence[int]) -> Vector:
    """The inverse of `Vector.numbers`. Raises ValueError for numbers that cannot be a place in this log."""
    if len(numbers) != len(layout) or any(number < 0 for number in numbers):
        raise ValueError("is not a place in this log")
    return Vector(layout, dict(zip(layout, numbers, strict=True)))
