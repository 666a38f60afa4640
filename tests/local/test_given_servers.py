"""Where the environment names servers that run already, these are used and none are started."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest

from local_stack import databases, postgres
from local_stack import kafka as broker
from local_stack.errors import Failed
from local_stack.stack import Stack
from tests.local.stacks import SERVICES, Running


@pytest.fixture
def given(make_stack: Callable[[str], Running]) -> Callable[[Mapping[str, str]], Running]:
    """A stack in an environment of the test's choice; `make_stack` knows its folder and takes it down."""

    def make(environment: Mapping[str, str]) -> Running:
        return Running(Stack(make_stack("run").layout, environment, SERVICES))

    return make


def test_given_servers_are_used_and_outlive_the_stack(
    given: Callable[[Mapping[str, str]], Running], kafka: str, database_url: str
) -> None:
    stack = given({"KAFKA_BOOTSTRAP_SERVERS": kafka, "DATABASE_URL": database_url})
    stack.up()
    facts = stack.facts()
    assert facts["pids"].keys() == {"intake", "audit"}
    assert facts["kafka"] == kafka
    assert facts["postgres"] == {"intake": f"{database_url}_intake", "audit": f"{database_url}_audit"}
    assert stack.states() == {"intake": "ready", "audit": "ready"}
    stack.up()
    assert stack.facts() == facts
    stack.down()
    assert broker.answers(kafka)
    assert postgres.answers(database_url)


def test_services_move_when_their_servers_are_given_later(make_stack: Callable[[str], Running], kafka: str) -> None:
    stack = make_stack("run")
    stack.up()
    before = stack.pids()
    moved = Running(Stack(stack.layout, {"KAFKA_BOOTSTRAP_SERVERS": kafka}, SERVICES))
    moved.up()
    after = moved.pids()
    assert after["postgres"] == before["postgres"]
    assert not {before["intake"], before["audit"]} & {after["intake"], after["audit"]}


def test_a_given_kafka_that_does_not_answer_is_named(given: Callable[[Mapping[str, str]], Running]) -> None:
    with pytest.raises(Failed, match=r"KAFKA_BOOTSTRAP_SERVERS=127\.0\.0\.1:9: no Kafka"):
        given({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}).up()


def test_a_given_database_that_does_not_answer_is_named_without_its_password(
    given: Callable[[Mapping[str, str]], Running],
) -> None:
    with pytest.raises(Failed, match="DATABASE_URL: no PostgreSQL answers") as told:
        given({"DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:9/stem"}).up()
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize("url", ["postgresql://me@host", "mysql://me@host/stem", "nonsense"])
def test_a_url_that_gives_no_stem_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=re.escape("postgresql://user:password@host:5432/throughline")):
        databases.given_urls(url, ["intake"])


def test_what_stands_behind_the_database_stays_in_each_url() -> None:
    urls = databases.given_urls("postgresql://me:pw@host:5433/stem?sslmode=require", ["kb-search"])
    assert urls == {"kb-search": "postgresql://me:pw@host:5433/stem_kb_search?sslmode=require"}
