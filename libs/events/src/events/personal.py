"""Which members of an event's data are personal, and how they are taken out and put back in."""

from collections.abc import Iterator, Mapping
from functools import cache
from types import UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from events.base import Fact, Personal

Plan: TypeAlias = Mapping[str, "Plan | None"]
"""Personal members by name: None where the whole member is, a plan of its own where only a part of an object is."""


@cache
def plan_of(model: type[Fact]) -> Plan:
    """The plan of a model. TypeError where a mark lies in a list or a mapping: mark the whole member instead."""
    return dict(_marked(model))


def split(plan: Plan, data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(public, personal): together they are `data`, nulls and empty objects too. `data` itself is left as it is."""
    public, personal = dict(data), {}
    for name, part in plan.items():
        if name not in public:
            continue
        value = public[name]
        if part is None:
            personal[name] = public.pop(name)
        elif isinstance(value, dict):
            public[name], inner = split(part, value)
            if inner:
                personal[name] = inner
    return public, personal


def merge(public: Mapping[str, Any], personal: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `split`, but for the order of members."""
    whole = dict(public)
    for name, value in personal.items():
        there = whole.get(name)
        whole[name] = merge(there, value) if isinstance(there, dict) and isinstance(value, dict) else value
    return whole


def _marked(model: type[Fact]) -> Iterator[tuple[str, Plan | None]]:
    for name, field in model.model_fields.items():
        if any(isinstance(mark, Personal) for mark in field.metadata):
            yield name, None
        elif plan := _plan_within(model, name, field):
            yield name, plan


def _plan_within(model: type[Fact], name: str, field: FieldInfo) -> Plan:
    annotation = field.annotation
    united = get_origin(annotation) in (Union, UnionType)
    plans = {kind: plan for kind in _models_in(annotation) if (plan := plan_of(kind))}
    if len(plans) > 1 or not plans.keys() <= set(get_args(annotation) if united else [annotation]):
        raise TypeError(
            f"{model.__name__}.{name}: personal members of a list's or mapping's items cannot be told apart"
        )
    return next(iter(plans.values()), {})


def _models_in(annotation: Any) -> Iterator[type[Fact]]:
    if _is_model(annotation):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Fact)
