"""The servers that every other test stands on can be broken and come back with their data."""

from __future__ import annotations

import asyncpg

from local_stack import kafka as broker
from local_stack import postgres as database
from tests.support.servers import PrivateKafka, PrivatePostgres


async def test_a_database_is_fresh_and_its_server_is_durable(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        settings = [await connection.fetchval(f"SHOW {name}") for name in ("fsync", "synchronous_commit")]
        tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    finally:
        await connection.close()
    assert (settings, tables) == (["on", "on"], 0)


def test_the_shared_broker_answers(kafka: str) -> None:
    assert broker.answers(kafka)


def test_a_killed_postgres_comes_back_at_the_same_address(private_postgres: PrivatePostgres) -> None:
    first = private_postgres.pid
    private_postgres.kill()
    assert not database.answers(private_postgres.url)
    private_postgres.start()
    assert database.answers(private_postgres.url)
    assert private_postgres.pid != first


def test_a_frozen_postgres_does_not_answer_until_it_is_thawed(private_postgres: PrivatePostgres) -> None:
    private_postgres.stop()
    assert not database.answers(private_postgres.url)
    private_postgres.cont()
    assert database.answers(private_postgres.url)


def test_a_killed_kafka_comes_back_at_the_same_address(private_kafka: PrivateKafka) -> None:
    first = private_kafka.pid
    private_kafka.kill()
    assert not broker.answers(private_kafka.url)
    private_kafka.start()
    assert broker.answers(private_kafka.url)
    assert private_kafka.pid != first


def test_a_frozen_kafka_does_not_answer_until_it_is_thawed(private_kafka: PrivateKafka) -> None:
    private_kafka.stop()
    assert not broker.answers(private_kafka.url)
    private_kafka.cont()
    assert broker.answers(private_kafka.url)
