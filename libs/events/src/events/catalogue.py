"""Every event type and topic there is: version, model, topic, key and owner. All else is derived from this table."""

import zlib
from dataclasses import dataclass
from typing import Final, Literal

from events import agents, checkpoints, contacts, keys, knowledge, parked, policies
from events.base import Fact

MAX_RECORD_BYTES: Final = 4 * 1024 * 1024

Owner = Literal["intake", "router", "escalation", "kb-search", "audit", "every consumer"]


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic by its logical name; `partitions` says which of the deployment's two counts is meant."""

    name: str
    partitions: Literal["contacts", "other"] = "other"
    compacted: bool = False
    max_bytes: int = MAX_RECORD_BYTES


@dataclass(frozen=True, slots=True)
class EventType:
    """One type in its newest version. `key` names what its records are keyed by: the envelope's subject too."""

    name: str
    model: type[Fact]
    topic: str
    key: str
    owner: Owner
    version: int = 1


CONTACTS: Final = Topic("contacts", partitions="contacts")
AGENTS: Final = Topic("agents")
POLICIES: Final = Topic("policies")
KNOWLEDGE: Final = Topic("knowledge")
KEYS: Final = Topic("keys", compacted=True)
CHECKPOINTS: Final = Topic("audit.checkpoints")
DEAD_LETTERS: Final = Topic("dead-letters")

TOPICS: Final[dict[str, Topic]] = {
    topic.name: topic for topic in (CONTACTS, AGENTS, POLICIES, KNOWLEDGE, KEYS, CHECKPOINTS, DEAD_LETTERS)
}


def _types(topic: Topic, key: str, owner: Owner, *models: type[Fact]) -> dict[str, EventType]:
    return {model.__name__: EventType(model.__name__, model, topic.name, key, owner) for model in models}


CATALOGUE: Final[dict[str, EventType]] = {
    **_types(CONTACTS, "request_id", "intake", contacts.ContactReceived, contacts.MessageReceived),
    **_types(CONTACTS, "request_id", "intake", contacts.FeedbackReceived),
    **_types(CONTACTS, "request_id", "router", contacts.Routed, contacts.OfferClosed, contacts.Connected),
    **_types(CONTACTS, "request_id", "router", contacts.Paused, contacts.Resumed, contacts.Transferred),
    **_types(CONTACTS, "request_id", "router", contacts.Requeued, contacts.Resolved, contacts.Abandoned),
    **_types(CONTACTS, "request_id", "router", contacts.Reopened),
    **_types(CONTACTS, "request_id", "escalation", contacts.Escalated),
    **_types(CONTACTS, "request_id", "escalation", contacts.SlaWarned, contacts.SlaBreached, contacts.SlaMet),
    **_types(CONTACTS, "request_id", "escalation", contacts.SlaWithdrawn),
    **_types(CONTACTS, "request_id", "kb-search", contacts.SuggestionShown, contacts.SuggestionUsed),
    **_types(AGENTS, "agent_id", "router", agents.AgentRegistered, agents.AgentUpdated, agents.PresenceChanged),
    **_types(POLICIES, "name", "escalation", policies.SlaPolicyVersioned, policies.CalendarVersioned),
    **_types(POLICIES, "queue", "router", policies.RoutingPolicyVersioned),
    **_types(KNOWLEDGE, "article_id", "kb-search", knowledge.ArticlePublished, knowledge.ArticleRevised),
    **_types(KNOWLEDGE, "article_id", "kb-search", knowledge.ArticleRetired, knowledge.ArticleRated),
    **_types(KEYS, "key_id", "intake", keys.KeyMade, keys.KeyDestroyed),
    **_types(CHECKPOINTS, "tree", "audit", checkpoints.CheckpointSigned),
    **_types(DEAD_LETTERS, "key", "every consumer", parked.RecordParked),
}


def partition_of(key: bytes, count: int) -> int:
    """The partition of a key among `count`: CRC-32, the only partitioner. It never changes, since keys would move."""
    return zlib.crc32(key) % count
