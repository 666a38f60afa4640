"""Topics are made once with their settings; a count that differs from the recorded one stops the service."""

import asyncio
from collections.abc import Callable

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from chassis import kafka
from chassis.database import Database
from chassis.errors import Misconfigured
from chassis.readiness import Status
from chassis.settings import ServiceSettings
from chassis.topics import Topics
from events.catalogue import TOPICS
from tests.support.until import until

MakeSettings = Callable[..., ServiceSettings]


@pytest.fixture
def settings(make_settings: MakeSettings, chassis_url: str, kafka: str) -> ServiceSettings:
    return make_settings(chassis_url, kafka)


async def settings_of(settings: ServiceSettings, topic: str) -> dict[str, str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        asked = [ConfigResource(ConfigResourceType.TOPIC, kafka.physical(settings, topic))]
        (answer,) = await admin.describe_configs(asked)
        (row,) = answer.to_object()["resources"]
        return {entry["config_names"]: entry["config_value"] for entry in row["config_entries"]}
    finally:
        await admin.close()


async def counts(settings: ServiceSettings) -> dict[str, int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        found = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
        return {topic: found[name] for topic in TOPICS if (name := kafka.physical(settings, topic)) in found}
    finally:
        await admin.close()


async def make_by_hand(settings: ServiceSettings, topic: str, partitions: int, **configs: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    named = {name.replace("_", "."): value for name, value in configs.items()}
    await admin.create_topics([NewTopic(kafka.physical(settings, topic), partitions, 1, topic_configs=named)])
    await admin.close()


async def test_all_topics_of_the_catalogue_are_made_with_their_counts(settings: ServiceSettings, db: Database) -> None:
    topics = Topics(settings, db)
    assert topics.check().status is Status.DOWN
    await topics.ensure()
    assert topics.check().status is Status.OK
    assert await counts(settings) == {
        topic: settings.contacts_partitions if topic == "contacts" else settings.other_partitions for topic in TOPICS
    }


async def test_records_are_kept_for_ever_stamped_by_the_broker_and_may_be_four_mebibytes(
    settings: ServiceSettings, db: Database
) -> None:
    await Topics(settings, db).ensure()
    found = await settings_of(settings, "contacts")
    assert found["message.timestamp.type"] == "LogAppendTime"
    assert (found["retention.ms"], found["retention.bytes"]) == ("-1", "-1")
    assert found["max.message.bytes"] == str(4 << 20)
    assert found["cleanup.policy"] == "delete"
    assert (await settings_of(settings, "keys"))["cleanup.policy"] == "compact"


async def test_settings_that_are_wrong_are_corrected_and_an_operators_own_are_kept(
    settings: ServiceSettings, db: Database
) -> None:
    await make_by_hand(settings, "contacts", settings.contacts_partitions, retention_ms="60000", segment_ms="3600000")
    await Topics(settings, db).ensure()
    found = await settings_of(settings, "contacts")
    assert found["retention.ms"] == "-1"
    assert found["message.timestamp.type"] == "LogAppendTime"
    assert found["segment.ms"] == "3600000"


async def test_two_services_that_make_them_at_once_both_succeed(settings: ServiceSettings, db: Database) -> None:
    await asyncio.gather(*(Topics(settings, db).ensure() for _ in range(3)))


async def test_a_count_at_the_broker_other_than_the_settings_say_is_refused(
    settings: ServiceSettings, db: Database
) -> None:
    await make_by_hand(settings, "contacts", settings.contacts_partitions + 1)
    with pytest.raises(Misconfigured, match="THROUGHLINE_CONTACTS_PARTITIONS=5"):
        await Topics(settings, db).ensure()


async def test_a_count_other_than_the_recorded_one_is_refused_even_without_kafka(
    settings: ServiceSettings, db: Database, make_settings: MakeSettings
) -> None:
    await Topics(settings, db).ensure()
    changed = make_settings(settings.dsn, "127.0.0.1:9", other_partitions=7)
    with pytest.raises(Misconfigured, match="recorded at the first start"):
        await Topics(changed, db).ensure()


async def test_without_kafka_it_goes_on_trying_and_says_so(
    make_settings: MakeSettings, chassis_url: str, db: Database
) -> None:
    topics = Topics(make_settings(chassis_url, "127.0.0.1:9"), db)
    trying = asyncio.create_task(topics.ensure())
    await until(lambda: "connect to Kafka" in topics.check().detail)
    assert not topics.made.is_set()
    trying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trying
