"""The JSON Schema of each event type, made from its model: of its data, open or sealed."""

from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from events.catalogue import EventType
from events.personal import plan_of

DIALECT: Final = GenerateJsonSchema.schema_dialect

SEALED_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "The personal members, nested as in the data: AES-256-GCM with the event's id as additional data.",
    "properties": {
        "key_id": {"type": "string"},
        "nonce": {"type": "string", "contentEncoding": "base64"},
        "box": {"type": "string", "contentEncoding": "base64"},
    },
    "required": ["key_id", "nonce", "box"],
    "additionalProperties": False,
}


def schema_of(kind: EventType) -> dict[str, Any]:
    """The schema of a type in its newest version. No personal member is required, so sealed payloads fit it too."""
    schema = kind.model.model_json_schema(mode="validation")
    if plan_of(kind.model):
        schema["properties"] = {**schema["properties"], "sealed": SEALED_SCHEMA}
    identity = {"$schema": DIALECT, "$id": f"urn:throughline:{kind.name}:v{kind.version}"}
    return identity | schema
