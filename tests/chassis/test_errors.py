"""The tree of errors is as its docstring draws it, and every refusal has a code and a title."""

from typing import TypeVar

import pytest

from chassis import errors
from chassis.errors import ChassisError, Overloaded, Refused, Transient, Unavailable

Root = TypeVar("Root", bound=ChassisError)


def subclasses(of: type[Root]) -> list[type[Root]]:
    return [found for child in of.__subclasses__() for found in (child, *subclasses(child))]


def drawn() -> dict[str, str]:
    """Class → parent, read off the drawing in the module's docstring."""
    parents, path = {}, ["ChassisError"]
    for line in (errors.__doc__ or "").splitlines():
        head, mark, rest = line.partition("── ")
        if mark:
            depth = (len(head) - 5) // 4 + 1
            path[depth:] = [rest.split()[0]]
            parents[path[depth]] = path[depth - 1]
    return parents


def test_the_drawing_is_the_tree() -> None:
    own = {found for found in subclasses(ChassisError) if found.__module__ == "chassis.errors"}
    assert {found.__name__: found.__bases__[0].__name__ for found in own} == drawn()


@pytest.mark.parametrize("refusal", subclasses(Refused))
def test_a_refusal_has_a_code_and_a_title(refusal: type[Refused]) -> None:
    assert refusal.code == refusal.code.lower().replace("_", "-")
    assert refusal.title


def test_codes_are_told_apart() -> None:
    codes = [found.code for found in subclasses(Refused)]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("refusal", [Overloaded(), Unavailable("away")])
def test_what_may_succeed_later_says_when_and_is_tried_again_by_loops(refusal: Overloaded | Unavailable) -> None:
    assert isinstance(refusal, Transient)
    assert refusal.retry_after_s >= 1
