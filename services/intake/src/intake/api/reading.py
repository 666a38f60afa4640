"""What all commands have in common on their way in: the key, the members, their validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from chassis import problems
from chassis.errors import Invalid
from chassis.web import parse_json
from intake.domain.canonical import content_hash
from intake.domain.keys import Use, fault_in_key

KEY = "Idempotency-Key"
SCOPE = "contacts:write"

_HEADER = KEY.lower().encode()
M = TypeVar("M", bound=BaseModel)


def key_of(request: Request) -> str | None:
    """The request's Idempotency-Key; raises Invalid for one that cannot be kept, or for two."""
    given = [value for name, value in request.scope["headers"] if name == _HEADER]
    if not given:
        return None
    if len(given) > 1:
        raise Invalid([{"field": KEY, "reason": "must be given once"}])
    return checked_key(_text(given[0]), KEY)


def checked_key(key: Any, field: str) -> str:
    """The key, if it can be kept; raises Invalid naming `field`."""
    fault = fault_in_key(key) if isinstance(key, str) else "must be a text"
    if fault:
        raise Invalid([{"field": field, "reason": fault}])
    return str(key)


def members_of(raw: bytes) -> dict[str, Any]:
    """The members of a JSON object; raises Invalid for anything else."""
    members = parse_json(raw)
    if not isinstance(members, dict):
        raise Invalid([{"field": "body", "reason": "must be a JSON object"}])
    return members


def validated(model: type[M], members: Mapping[str, Any]) -> M:
    """The members as a model; raises Invalid naming the path of each field that is wrong."""
    try:
        return model.model_validate(members)
    except ValidationError as error:
        raise problems.from_pydantic(error) from error


def use_of(scope: str, key: str | None, members: Mapping[str, Any]) -> Use | None:
    """The use of a key for these members, None without a key."""
    return None if key is None else Use(scope, key, content_hash(members))


def _text(raw: bytes) -> str:
    """A header's text: UTF-8 where it is that, else Latin-1, as HTTP has it."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
