"""Kafka's clients with the settings that lose nothing, and a deadline for every await on them."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from chassis.errors import Transient
from chassis.settings import ServiceSettings
from events.catalogue import TOPICS

T = TypeVar("T")

MAX_RECORD_BYTES: Final = 4 * 1024 * 1024
BATCH_BYTES: Final = 1024 * 1024
LONG_POLL_MS: Final = 500
_REQUEST_MS: Final = 7_000
# What aiokafka lets through when a broker dies in the middle of an answer.
_FAILURES: Final = (KafkaError, OSError, TimeoutError, EOFError, AssertionError, asyncio.InvalidStateError)
_log = structlog.get_logger(__name__)


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
    if TOPICS[topic].partitions == "contacts":
        return settings.contacts_partitions
    return settings.other_partitions


async def deadline(awaitable: Awaitable[T], seconds: float, what: str) -> T:
    """The awaitable's result; `NoAnswer` after `seconds` or on any error of Kafka. Its outcome is then unknown.

    aiokafka's awaits may hang for ever while the broker is away, and its wait loops may swallow a cancellation; so the
    awaitable is left to itself after the deadline, cancelled but not waited for.
    """
    task = asyncio.ensure_future(awaitable)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        _abandon(task)
        raise
    if not done:
        _abandon(task)
        raise NoAnswer(f"{what}: no answer from Kafka within {seconds:g} s")
    if task.cancelled():
        raise NoAnswer(f"{what}: the client gave it up")
    try:
        return task.result()
    except _FAILURES as error:
        raise NoAnswer(f"{what}: {type(error).__name__} {error}".strip()) from error


async def ended(closing: Awaitable[object]) -> None:
    """Closes a client as far as it can be closed: within 2 s, and whatever it answers (aiokafka's `stop` may hang)."""
    try:
        await deadline(closing, 2.0, "close the client")
    except Exception as error:  # noqa: BLE001 - a client in pieces raises anything (KeyError was seen); nothing depends on it
        _log.info("kafka_client_left_behind", reason=str(error), error=type(error).__name__)


async def discarded(client: AIOKafkaProducer) -> None:
    """Throws a producer away whose batches may never be answered, within a few seconds and leaving nothing running.

    Its own `stop` would wait for them, idempotent ones for ever. So its sender is cancelled, which no public call does
    (the version is pinned), and its connections are closed.
    """
    await ended(client._sender.close())  # noqa: SLF001 - see above
    await ended(client.client.close())
    client._closed = True  # noqa: SLF001 - what `stop` does first: else its end warns of a producer left open


def producer(settings: ServiceSettings) -> AIOKafkaProducer:
    """Idempotent, acks=all, batches of 1 MiB; not started. Send with `send_batch` only: the partitioner is ours."""
    return AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        client_id=settings.replica,
        enable_idempotence=True,
        acks="all",
        max_batch_size=BATCH_BYTES,
        max_request_size=MAX_RECORD_BYTES,
        request_timeout_ms=_REQUEST_MS,
        metadata_max_age_ms=60_000,
        retry_backoff_ms=300,
        partitioner=_refuse_to_choose,
    )


def consumer(settings: ServiceSettings, *, group: str | None, max_poll_records: int = 5_000) -> AIOKafkaConsumer:
    """Without auto commit and without a place to begin by itself (auto_offset_reset none); not started."""
    return AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        client_id=settings.replica,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_poll_records=max_poll_records,
        max_partition_fetch_bytes=MAX_RECORD_BYTES,
        fetch_max_wait_ms=LONG_POLL_MS,
        session_timeout_ms=6_000,
        heartbeat_interval_ms=2_000,
        max_poll_interval_ms=300_000,
        request_timeout_ms=_REQUEST_MS + 5_000,
        metadata_max_age_ms=60_000,
    )


def ask_next(client: AIOKafkaConsumer, *, wait_ms: int, min_bytes: int) -> None:
    """How long the broker may keep the client's next fetches, and at how many bytes it answers at once.

    No public call changes that in a running client (the version is pinned).
    """
    fetcher = client._fetcher  # noqa: SLF001 - see above
    fetcher._fetch_max_wait_ms, fetcher._fetch_min_bytes = wait_ms, min_bytes  # noqa: SLF001 - see above


def admin(settings: ServiceSettings) -> AIOKafkaAdminClient:
    """An admin client; not started. Its errors come as codes in the answers."""
    return AIOKafkaAdminClient(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        client_id=settings.replica,
        request_timeout_ms=_REQUEST_MS,
    )


def _abandon(task: "asyncio.Future[T]") -> None:
    task.cancel()
    task.add_done_callback(lambda done: done.cancelled() or done.exception())


def _refuse_to_choose(*_: object) -> int:
    raise RuntimeError("partitions are chosen by events.catalogue.partition_of, and records sent with send_batch")
