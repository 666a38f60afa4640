"""Kafka's clients with the settings that lose nothing, and a deadline for every await on them."""

from collections.abc import Awaitable
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from chassis.errors import Transient
from chassis.settings import ServiceSettings

T = TypeVar("T")


class NoAnswer(Transient):
    """Kafka did not answer in time, or not as it should: whether it did what was asked is unknown."""


def physical(settings: ServiceSettings, topic: str) -> str:
    """The topic's name at the broker: the deployment's prefix and the logical name."""
    return settings.topic_prefix + topic


def logical(settings: ServiceSettings, topic: str) -> str:
    """The inverse of `physical`; ValueError for a topic without the prefix."""
    if not topic.startswith(settings.topic_prefix):
        raise ValueError(f"{topic} does not begin with {settings.topic_prefix}")
    return topic[len(settings.topic_prefix) :]


def partitions_of(settings: ServiceSettings, topic: str) -> int:
    """How many partitions this deployment gives a logical topic."""
    raise NotImplementedError


async def deadline(awaitable: Awaitable[T], seconds: float, what: str) -> T:
    """The awaitable's result; `NoAnswer` after `seconds` or on any error of Kafka. Its outcome is then unknown."""
    raise NotImplementedError


def producer(settings: ServiceSettings) -> AIOKafkaProducer:
    """Idempotent, acks=all, batches of 1 MiB; not started. Send with `send_batch` only: the partitioner is ours."""
    raise NotImplementedError


def consumer(settings: ServiceSettings, *, group: str | None, max_poll_records: int = 5_000) -> AIOKafkaConsumer:
    """Without auto commit and without a place to begin by itself (auto_offset_reset none); not started."""
    raise NotImplementedError


def admin(settings: ServiceSettings) -> AIOKafkaAdminClient:
    """An admin client; not started. Its errors come as codes in the answers."""
    raise NotImplementedError
