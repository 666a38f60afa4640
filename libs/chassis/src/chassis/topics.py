"""The deployment's topics: made once with their settings, checked at each start, in the background."""

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import Any, Final

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from chassis import kafka
from chassis.backoff import Backoff
from chassis.database import Database
from chassis.errors import Misconfigured, Unavailable
from chassis.kafka import NoAnswer
from chassis.readiness import OK, Finding, down
from chassis.settings import ServiceSettings
from events.catalogue import TOPICS

# Codes of Kafka's protocol (kafka.apache.org/protocol, "Error Codes") and of DescribeConfigs' config_source.
_NO_ERROR: Final = 0
_TOPIC_ALREADY_EXISTS: Final = 36
_SET_ON_THE_TOPIC: Final = 1

_ANSWER_S: Final = 8.0
_SEEN_WITHIN_S: Final = 5.0
_log = structlog.get_logger(__name__)


class Topics:
    """Makes the topics that are missing, and checks settings and partition counts against the recorded ones.

    Counts are recorded in the service's own database at the first start and never change afterwards: the partition of
    a key follows from the count, and a key that moves loses its order.
    """

    def __init__(self, settings: ServiceSettings, db: Database) -> None:
        self._settings = settings
        self._db = db
        self._made = asyncio.Event()
        self._trouble = "topics are not checked yet"

    @property
    def made(self) -> asyncio.Event:
        """Set when every topic is there as it must be; relay and consumers wait for it."""
        return self._made

    async def ensure(self) -> None:
        """Tries until done, however long Kafka or the database is away.

        Raises `Misconfigured` where a count differs from the recorded one.
        """
        backoff = Backoff(first_s=0.2, most_s=5.0)
        while not self._made.is_set():
            try:
                await self._attempt()
            except (NoAnswer, Unavailable) as error:
                self._report(str(error))
                await backoff.sleep()

    def check(self) -> Finding:
        """For `/readyz`."""
        return OK if self._made.is_set() else down(self._trouble)

    async def _attempt(self) -> None:
        await self._compare_with_recorded()
        client = kafka.admin(self._settings)
        try:
            await kafka.deadline(client.start(), _ANSWER_S, "connect to Kafka")
            found = await _partition_counts(client)
            await self._make_missing(client, found)
            await self._compare_counts(client)
            await self._set_settings(client)
        finally:
            await kafka.ended(client.close())
        await self._record()
        self._made.set()

    async def _compare_with_recorded(self) -> None:
        async with self._db.connection() as connection:
            rows = await connection.fetch("select name, value from deployment_facts where name like 'partitions:%'")
        recorded = {row["name"].removeprefix("partitions:"): int(row["value"]) for row in rows}
        for topic in TOPICS.keys() & recorded.keys():
            _refuse_change(topic, wanted=self._count(topic), found=recorded[topic], where="recorded at the first start")

    async def _make_missing(self, client: AIOKafkaAdminClient, found: Mapping[str, int]) -> None:
        missing = [topic for topic in TOPICS if self._name(topic) not in found]
        if not missing:
            return
        wanted = [
            NewTopic(
                self._name(topic),
                self._count(topic),
                self._settings.topic_replication,
                topic_configs=self._wanted_settings(topic),
            )
            for topic in missing
        ]
        answer = await kafka.deadline(client.create_topics(wanted), _ANSWER_S, "make topics")
        for row in answer.to_object()["topic_errors"]:
            _refuse_code(row, f"make topic {row['topic']}", allowed=_TOPIC_ALREADY_EXISTS)
        _log.info("topics_made", topics=missing)

    async def _compare_counts(self, client: AIOKafkaAdminClient) -> None:
        """A topic that was just made shows in the broker's metadata a moment later."""
        names, until = {self._name(topic) for topic in TOPICS}, monotonic() + _SEEN_WITHIN_S
        while unseen := names - (found := await _partition_counts(client)).keys():
            if monotonic() > until:
                raise NoAnswer(f"topics do not show after they were made: {', '.join(sorted(unseen))}")
            await asyncio.sleep(0.05)
        for topic in TOPICS:
            _refuse_change(topic, wanted=self._count(topic), found=found[self._name(topic)], where="at the broker")

    async def _set_settings(self, client: AIOKafkaAdminClient) -> None:
        """Corrects what is wrong, and waits until the broker shows it."""
        corrected, until = set[str](), monotonic() + _SEEN_WITHIN_S
        while wrong := await self._wrong_settings(client):
            if monotonic() > until:
                raise NoAnswer(f"settings do not show after they were set: {', '.join(sorted(wrong))}")
            for topic in wrong.keys() - corrected:
                await self._correct(client, topic, own=wrong[topic])
            corrected |= wrong.keys()
            await asyncio.sleep(0.05)

    async def _wrong_settings(self, client: AIOKafkaAdminClient) -> dict[str, dict[str, str]]:
        """Of each topic that is not as it must be: what is set on the topic itself."""
        asked = [ConfigResource(ConfigResourceType.TOPIC, self._name(topic)) for topic in TOPICS]
        answers = await kafka.deadline(client.describe_configs(asked), _ANSWER_S, "read the topics' settings")
        rows = [_checked(row, "read settings") for answer in answers for row in answer.to_object()["resources"]]
        entries = {row["resource_name"]: row["config_entries"] for row in rows}
        return {
            topic: {e["config_names"]: e["config_value"] for e in present if e["config_source"] == _SET_ON_THE_TOPIC}
            for topic in TOPICS
            if self._differs(topic, present := entries[self._name(topic)])
        }

    def _differs(self, topic: str, entries: list[dict[str, Any]]) -> bool:
        present = {entry["config_names"]: entry["config_value"] for entry in entries}
        return any(present.get(name) != value for name, value in self._wanted_settings(topic).items())

    async def _correct(self, client: AIOKafkaAdminClient, topic: str, *, own: dict[str, str]) -> None:
        """Sends the topic's full set of settings, since the call replaces whatever it leaves out by the default."""
        change = [ConfigResource(ConfigResourceType.TOPIC, self._name(topic), own | self._wanted_settings(topic))]
        _log.warning("topic_settings_corrected", topic=topic, found=own)
        for answer in await kafka.deadline(client.alter_configs(change), _ANSWER_S, f"set {topic}'s settings"):
            for row in answer.to_object()["resources"]:
                _checked(row, f"set {topic}'s settings")

    async def _record(self) -> None:
        async with self._db.transaction() as tx:
            await tx.executemany(
                "insert into deployment_facts (name, value) values ($1, $2) on conflict (name) do nothing",
                [(f"partitions:{topic}", str(self._count(topic))) for topic in sorted(TOPICS)],
            )
        await self._compare_with_recorded()

    def _wanted_settings(self, topic: str) -> dict[str, str]:
        return {
            "cleanup.policy": "compact" if TOPICS[topic].compacted else "delete",
            "max.message.bytes": str(kafka.MAX_RECORD_BYTES),
            "message.timestamp.type": "LogAppendTime",
            "min.insync.replicas": "2" if self._settings.topic_replication > 2 else "1",
            "retention.bytes": "-1",
            "retention.ms": "-1",
        }

    def _name(self, topic: str) -> str:
        return kafka.physical(self._settings, topic)

    def _count(self, topic: str) -> int:
        return kafka.partitions_of(self._settings, topic)

    def _report(self, trouble: str) -> None:
        if trouble != self._trouble:
            _log.warning("topics_not_ready", reason=trouble)
        self._trouble = trouble


async def _partition_counts(client: AIOKafkaAdminClient) -> dict[str, int]:
    """Of every topic there is: where brokers make topics by themselves, asking for one by name would do so."""
    topics = await kafka.deadline(client.describe_topics(), _ANSWER_S, "list topics")
    return {topic["topic"]: len(topic["partitions"]) for topic in topics if topic["error_code"] == _NO_ERROR}


def _refuse_change(topic: str, *, wanted: int, found: int, where: str) -> None:
    if wanted != found:
        variable = "CONTACTS" if TOPICS[topic].partitions == "contacts" else "OTHER"
        raise Misconfigured(
            f"topic {topic} has {found} partitions {where}, the settings say {wanted}: "
            f"set THROUGHLINE_{variable}_PARTITIONS={found}; counts never change once set"
        )


def _refuse_code(row: Mapping[str, Any], what: str, *, allowed: int = _NO_ERROR) -> None:
    if row["error_code"] not in {_NO_ERROR, allowed}:
        raise NoAnswer(f"{what}: Kafka's error {row['error_code']} {row['error_message'] or ''}".rstrip())


def _checked(row: dict[str, Any], what: str) -> dict[str, Any]:
    _refuse_code(row, what)
    return row
