"""The inbound half of every command over HTTP: its idempotency key, its members, their validation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from chassis import problems
from chassis.bodies import parse_json
from chassis.errors import Invalid
from events.canonical import content_hash

KEY: Final = "Idempotency-Key"
LONGEST_KEY: Final = 255

_HEADER: Final = KEY.lower().encode()
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a key: `scope` is the method and path that it counts in, `hash` stands for the members sent."""

    scope: str
    key: str
    hash: bytes


def use_of(request: Request, members: Mapping[str, Any]) -> Use | None:
    """The request's use of its Idempotency-Key for these members, None without a key. Raises Invalid as `key_of`."""
    key = key_of(request)
    return None if key is None else Use(f"{request.method} {request.url.path}", key, content_hash(members))


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


def fault_in_key(key: str) -> str | None:
    """Why this text cannot be a key, None where it can."""
    if not key:
        return "must not be empty"
    if len(key) > LONGEST_KEY:
        return f"must have at most {LONGEST_KEY} characters"
    if "\x00" in key:
        return "must not contain the NUL character"
    if not key.isascii() and any("\ud800" <= character <= "\udfff" for character in key):
        return "must not contain a lone surrogate"
    return None


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


def _text(raw: bytes) -> str:
    """A header's text: UTF-8 where it is that, else Latin-1, as HTTP has it."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
