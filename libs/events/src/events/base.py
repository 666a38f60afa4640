"""What every event's model is made of: a strict frozen base, the mark of personal data, and the types of its fields."""

import math
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from events.times import to_us

MAX_DEPTH: Final = 32
"""How deep a free object may nest: far more than anybody says, far less than a parser's stack."""


class Fact(BaseModel):
    """Base of all models: no coercion, no unknown members, no change after the making."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )


class Personal:
    """The mark of a member that says something of a person: the codec seals it, schemas show it as `x-personal`."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Adds the mark to the member's schema."""
        return {**handler(schema), "x-personal": True}

    def __repr__(self) -> str:
        return "PERSONAL"


PERSONAL: Final = Personal()


def _whole(text: str) -> str:
    if reason := _fault_in_text(text):
        raise PydanticCustomError("text", "{reason}", {"reason": reason})
    return text


def _moment(text: str) -> str:
    try:
        to_us(text)
    except ValueError as error:
        raise PydanticCustomError("time", "{reason}", {"reason": str(error)}) from error
    return text


def _plain_json(value: dict[str, Any]) -> dict[str, Any]:
    """Refuses what a free object must not hold, naming the place: JSON lets through more than a store can keep."""
    waiting: list[tuple[str, int, Any]] = [("", 1, value)]
    while waiting:
        path, depth, node = waiting.pop()
        if reason := _fault(node, depth):
            raise PydanticCustomError(
                "json", "{where}{reason}", {"where": f"at {path}: " if path else "", "reason": reason}
            )
        if isinstance(node, dict):
            waiting += [(f"{path}.{key}" if path else f"{key}", depth + 1, item) for key, item in node.items()]
            waiting += [(f"{path}.{key!r}" if path else repr(key), 0, key) for key in node]
        elif isinstance(node, list):
            waiting += [(f"{path}[{place}]", depth + 1, item) for place, item in enumerate(node)]
    return value


def _fault(node: Any, depth: int) -> str | None:
    if isinstance(node, str):
        return _fault_in_text(node)
    if isinstance(node, float) and not math.isfinite(node):
        return "must be a finite number"
    if isinstance(node, dict | list) and depth > MAX_DEPTH:
        return f"must not nest deeper than {MAX_DEPTH} levels"
    if node is None or isinstance(node, bool | int | float | dict | list):
        return None
    return "must be JSON"


def _fault_in_text(text: str) -> str | None:
    if "\0" in text:
        return "must not hold NUL characters"
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return "must not hold lone surrogates"
    return None


Text = Annotated[str, AfterValidator(_whole)]
"""Any text that can be written down, kept as sent."""

Name = Annotated[Text, Field(min_length=1)]
"""A text that names something: an agent, a queue, a skill."""

RequestId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]

EventId = Annotated[str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
"""A UUID in lower case."""

Moment = Annotated[str, AfterValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
"""An RFC 3339 time with an offset and at most six decimals, kept as sent."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 in hexadecimal."""

Microseconds = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Version = Annotated[int, Field(ge=1)]

Tier = Annotated[int, Field(ge=1, le=4)]

Leg = Annotated[int, Field(ge=0)]
"""The number of a leg, as a remark: the fold numbers the legs itself, from 1. 0 is a foreign system's "none yet"."""

FreeJson = Annotated[dict[str, Any], AfterValidator(_plain_json)]
"""Any JSON object without NUL characters, lone surrogates and numbers that are none, at most `MAX_DEPTH` deep."""
