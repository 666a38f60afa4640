"""The AsyncAPI 3 document of all topics and events, made from the catalogue."""

from typing import Any, Final

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from events.base import Fact
from events.catalogue import CATALOGUE, TOPICS, EventType, Topic
from events.personal import plan_of
from events.samples import SAMPLES
from events.schemas import SEALED_SCHEMA

_BINDING: Final = "0.5.0"
_DESCRIPTION: Final = """\
What Throughline's services tell each other. Events are CloudEvents 1.0 in Kafka's binary mode: attributes as headers
`ce_…`, the data as JSON. Members marked `x-personal` travel sealed in the member `sealed`, under the person's key."""
_TEXT: Final = {"type": "string"}
_TIME: Final = {"type": "string", "format": "date-time"}
_HEADERS: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["content-type", "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time"],
    "properties": {
        "content-type": {"const": "application/json"},
        "ce_specversion": {"const": "1.0"},
        "ce_id": {**_TEXT, "format": "uuid"},
        "ce_source": {**_TEXT, "description": "Who states it, such as `/services/router`; `/imports` for the past."},
        "ce_type": {**_TEXT, "description": "`throughline.<type>.v<version>`."},
        "ce_subject": {**_TEXT, "description": "What it is about: the record's key."},
        "ce_time": {**_TIME, "description": "When it occurred, in microseconds."},
        "ce_partitionkey": _TEXT,
        "ce_sequence": {**_TEXT, "description": "A decimal number, gapless per source and subject."},
        "ce_causationid": {**_TEXT, "format": "uuid", "description": "The event that caused it."},
        "ce_correlationid": {**_TEXT, "format": "uuid"},
        "ce_clock": {**_TIME, "description": "The raw clock reading, where the time was corrected."},
        "traceparent": {**_TEXT, "description": "W3C trace context."},
        "tracestate": _TEXT,
    },
}


def document(version: str) -> dict[str, Any]:
    """The document; `version` is that of the library."""
    schemas = _schemas()
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Throughline", "version": version, "description": _DESCRIPTION, "license": {"name": "MIT"}},
        "defaultContentType": "application/json",
        "channels": {_id(topic.name): _channel(topic) for topic in TOPICS.values()},
        "operations": _operations(),
        "components": {"messages": {kind.name: _message(kind) for kind in CATALOGUE.values()}, "schemas": schemas},
    }


def _schemas() -> dict[str, Any]:
    mode: JsonSchemaMode = "validation"
    pairs: list[tuple[type[Fact], JsonSchemaMode]] = [(kind.model, mode) for kind in CATALOGUE.values()]
    _, found = models_json_schema(pairs, ref_template="#/components/schemas/{model}")
    schemas: dict[str, Any] = found["$defs"]
    for kind in CATALOGUE.values():
        if plan_of(kind.model):
            schemas[kind.name]["properties"]["sealed"] = {"$ref": "#/components/schemas/Sealed"}
    return {**schemas, "Sealed": SEALED_SCHEMA, "Headers": _HEADERS}


def _channel(topic: Topic) -> dict[str, Any]:
    kinds = [kind for kind in CATALOGUE.values() if kind.topic == topic.name]
    keys = " or ".join(dict.fromkeys(f"`{kind.key}`" for kind in kinds))
    cleanup = ["compact"] if topic.compacted else ["delete"]
    settings = {"cleanup.policy": cleanup, "retention.ms": -1, "max.message.bytes": topic.max_bytes}
    return {
        "address": topic.name,
        "description": f"Keyed by {keys}.",
        "messages": {kind.name: {"$ref": f"#/components/messages/{kind.name}"} for kind in kinds},
        "bindings": {"kafka": {"topicConfiguration": settings, "bindingVersion": _BINDING}},
    }


def _message(kind: EventType) -> dict[str, Any]:
    return {
        "name": f"throughline.{kind.name}.v{kind.version}",
        "title": kind.name,
        "summary": (kind.model.__doc__ or "").split("\n")[0],
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/Headers"},
        "payload": {"$ref": f"#/components/schemas/{kind.name}"},
        "bindings": {"kafka": {"key": {**_TEXT, "description": kind.key}, "bindingVersion": _BINDING}},
        "examples": [{"name": kind.name, "summary": "Opened.", "payload": SAMPLES[kind.name]}],
    }


def _operations() -> dict[str, Any]:
    stated: dict[tuple[str, str], list[str]] = {}
    for kind in CATALOGUE.values():
        stated.setdefault((kind.owner, kind.topic), []).append(kind.name)
    return {
        f"{_id(owner)}-states-{_id(topic)}": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{_id(topic)}"},
            "summary": f"What {owner} states on {topic}.",
            "messages": [{"$ref": f"#/channels/{_id(topic)}/messages/{name}"} for name in names],
        }
        for (owner, topic), names in stated.items()
    }


def _id(name: str) -> str:
    """Ids of channels and operations have letters, digits, hyphens and underscores alone."""
    return name.replace(".", "-").replace(" ", "-")
