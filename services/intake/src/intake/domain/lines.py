"""An import's lines: each becomes a checked Line, or the faults for which it is rejected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from events.canonical import content_id
from events.imports import IMPORTABLE
from events.times import to_us

REQUIRED = ("type", "request_id", "occurred_at", "data")
MEMBERS = frozenset((*REQUIRED, "event_id", "causation_id"))

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line: the path of the field ("" where it is the line as a whole) and the reason."""

    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """One past event, checked; its time in µs since 1970. `content` stands for all that was sent but the event's id."""

    type: str
    request_id: str
    occurred_us: int
    data: dict[str, Any]
    event_id: UUID
    causation_id: str | None
    content: UUID


def read(members: Any) -> Line | list[Fault]:
    """The line that this parsed JSON is, or every fault that was found in it."""
    if not isinstance(members, dict):
        return [Fault("", "must be a JSON object")]
    faults = list(_faults(members))
    return faults or _line(members)


def _line(members: dict[str, Any]) -> Line:
    causation_id = members.get("causation_id")
    sent = {name: members[name] for name in REQUIRED}
    content = content_id(sent | {"causation_id": causation_id})
    given = members.get("event_id")
    return Line(
        members["type"],
        members["request_id"],
        to_us(members["occurred_at"]),
        members["data"],
        UUID(given) if given is not None else content,
        causation_id.lower() if causation_id is not None else None,
        content,
    )


def _faults(members: dict[str, Any]) -> Iterator[Fault]:
    yield from (Fault(name, "there is no such field") for name in members.keys() - MEMBERS)
    yield from (Fault(name, "is required") for name in REQUIRED if name not in members)
    for name, check in CHECKS.items():
        if name in members and (reason := check(members[name])):
            yield Fault(name, reason)
    yield from _faults_in_data(members.get("type"), members.get("data"))


def _faults_in_data(kind: Any, data: Any) -> Iterator[Fault]:
    if not isinstance(data, dict) or not isinstance(kind, str) or kind not in IMPORTABLE:
        return
    try:
        IMPORTABLE[kind].model_validate(data)
    except ValidationError as error:
        for found in error.errors(include_url=False, include_context=False, include_input=False):
            yield Fault(".".join(("data", *map(str, found["loc"]))), found["msg"])


def _type(value: Any) -> str | None:
    known = isinstance(value, str) and value in IMPORTABLE
    return None if known else f"must be one of {', '.join(IMPORTABLE)}"


def _request_id(value: Any) -> str | None:
    fits = isinstance(value, str) and _REQUEST_ID.fullmatch(value)
    return None if fits else "must be 1 to 100 of A-Z a-z 0-9 . _ : -"


def _occurred_at(value: Any) -> str | None:
    if not isinstance(value, str):
        return "must be a text, RFC 3339"
    try:
        to_us(value)
    except ValueError as error:
        return str(error)
    return None


def _data(value: Any) -> str | None:
    return None if isinstance(value, dict) else "must be an object"


def _event_id(value: Any) -> str | None:
    fits = value is None or (isinstance(value, str) and _UUID.fullmatch(value) and value == value.lower())
    return None if fits else "must be a UUID in lower case, or null"


def _causation_id(value: Any) -> str | None:
    fits = value is None or (isinstance(value, str) and _UUID.fullmatch(value))
    return None if fits else "must be a UUID, or null"


CHECKS = {
    "type": _type,
    "request_id": _request_id,
    "occurred_at": _occurred_at,
    "data": _data,
    "event_id": _event_id,
    "causation_id": _causation_id,
}
