"""What the stores promise, in memory and in PostgreSQL: given the same work, the same is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chassis import migrations
from chassis.clock import SystemClock
from chassis.commands import Use
from chassis.database import Database
from chassis.errors import Conflict, KeyReused
from escalation.adapters.rules import RuleTable, SqlRuleStore
from escalation.adapters.store import SqlStore
from escalation.app.following import take
from escalation.app.ports import Kept, RuleStore, RuleUnit, Store, Unit
from escalation.domain import fold
from escalation.domain.request import Heard, Request
from events.policies import SlaPolicyVersioned
from tests.escalation.given import AGENT, CONTACT, START, at, promise
from tests.escalation.memory import MemoryRuleStore, MemoryStore


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    await migrations.migrate(database_url, "escalation")
    database = Database(database_url, name="tests")
    await database.open()
    yield database
    await database.close()


@pytest.fixture(params=["memory", "postgresql"])
def store(request: pytest.FixtureRequest) -> tuple[Store, list[Kept]]:
    """A store and what it has told."""
    heard: list[Kept] = []
    if request.param == "memory":
        return MemoryStore(told=heard.append), heard
    return SqlStore(request.getfixturevalue("db"), RuleTable(), SystemClock(), heard.append), heard


@pytest.fixture(params=["memory", "postgresql"])
def rule_store(request: pytest.FixtureRequest) -> RuleStore:
    if request.param == "memory":
        return MemoryRuleStore()
    return SqlRuleStore(request.getfixturevalue("db"), RuleTable(), SystemClock(), lambda _: None)


def heard(type_: str, minute: float, request_id: str = "r-1") -> Heard:
    data = CONTACT if type_ == "ContactReceived" else AGENT
    return Heard(f"00000000-0000-7000-8000-{int(minute * 10):012d}", type_, request_id, data, at(minute), at(minute))


async def tell(store: Store, *events: Heard, partition: int = 3) -> None:
    async def work(unit: Unit) -> None:
        for event in events:
            await take(unit, event, partition)

    await store.change([event.request_id for event in events], work)


async def found(store: Store, request_id: str = "r-1") -> Request:
    request = await store.find(request_id)
    assert request is not None
    return request


async def test_what_was_kept_is_found_as_it_was(store: tuple[Store, list[Kept]]) -> None:
    at_hand, _ = store
    await tell(at_hand, heard("ContactReceived", 0), heard("Routed", 1), heard("Paused", 2))
    request = await found(at_hand)
    assert (request.state, request.standing.agent_id, request.last_us) == ("offered", "a-1", at(2))
    (clock,) = request.clocks
    assert (clock.started_us, clock.due_us) == (START, at(15))
    assert await at_hand.find("r-2") is None


async def test_within_a_unit_each_sees_what_was_kept_before(store: tuple[Store, list[Kept]]) -> None:
    at_hand, _ = store
    await tell(at_hand, heard("ContactReceived", 0), heard("Connected", 1))
    request = await found(at_hand)
    assert (request.state, request.version, request.clocks[0].ended) == ("connected", 1, "met")


async def test_what_is_stated_is_later_than_all_that_is_known(store: tuple[Store, list[Kept]]) -> None:
    at_hand, _ = store
    await tell(at_hand, heard("ContactReceived", 0), heard("Connected", 1))
    assert (await found(at_hand)).last_us > at(1)


async def test_moments_are_those_of_the_partition_that_have_not_passed(store: tuple[Store, list[Kept]]) -> None:
    at_hand, told = store
    await tell(at_hand, heard("ContactReceived", 0), heard("ContactReceived", 1, "r-2"), heard("Connected", 2, "r-2"))
    await tell(at_hand, heard("ContactReceived", 3, "r-3"), partition=4)
    assert await at_hand.moments(3) == {"r-1": at(12)}
    assert await at_hand.moments(4) == {"r-3": at(15)}
    assert [kept.moments for kept in told] == [{(3, "r-1"): at(12), (3, "r-2"): None}, {(4, "r-3"): at(15)}]


async def test_what_came_due_is_kept_once(store: tuple[Store, list[Kept]]) -> None:
    at_hand, _ = store
    await tell(at_hand, heard("ContactReceived", 0))

    async def work(unit: Unit) -> None:
        request = await unit.request("r-1")
        assert request is not None
        unit.keep(fold.elapsed(request, at(16)))

    for _ in range(2):
        await at_hand.change(["r-1"], work)
        assert (await found(at_hand)).version == 2
    assert (await found(at_hand)).next_us is None


async def test_what_a_work_raises_leaves_nothing(store: tuple[Store, list[Kept]]) -> None:
    at_hand, told = store

    async def work(unit: Unit) -> bytes:
        await take(unit, heard("ContactReceived", 0), 3)
        raise Conflict("no", state=None, holder=None)

    for _ in range(2):
        with pytest.raises(Conflict):
            await at_hand.once("r-1", Use("POST /x", "k-1", b"h"), work)
    assert (await at_hand.find("r-1"), told) == (None, [])


async def test_a_key_does_its_work_once(store: tuple[Store, list[Kept]]) -> None:
    at_hand, _ = store
    done: list[int] = []

    async def work(_: Unit) -> bytes:
        done.append(1)
        return b"first"

    for _ in range(2):
        assert await at_hand.once("r-1", Use("POST /x", "k-1", b"h"), work) == b"first"
    with pytest.raises(KeyReused):
        await at_hand.once("r-1", Use("POST /x", "k-1", b"other"), work)
    await at_hand.once("r-1", Use("POST /y", "k-1", b"h"), work)
    assert len(done) == 2


async def test_rules_are_kept_in_the_order_of_their_versions(rule_store: RuleStore) -> None:
    for version in (2, 3):
        policy = SlaPolicyVersioned(name="default", version=version, promises=[promise(version)])

        async def work(unit: RuleUnit, policy: SlaPolicyVersioned = policy) -> bytes:
            unit.keep("sla", policy)
            return b""

        await rule_store.once("default", None, work)
    rules = (await rule_store.rules()).policies["default"]
    assert [rule.content.version for rule in rules] == [1, 2, 3]
    assert [rule.from_us for rule in rules] == sorted(rule.from_us for rule in rules)
    assert rules[2].content == policy


async def test_rules_that_were_refused_are_not_kept(rule_store: RuleStore) -> None:
    async def work(unit: RuleUnit) -> bytes:
        unit.keep("sla", SlaPolicyVersioned(name="gold", version=1, promises=[]))
        raise Conflict("no", state=None, holder=None)

    with pytest.raises(Conflict):
        await rule_store.once("gold", None, work)
    assert "gold" not in (await rule_store.rules()).policies


async def test_a_key_makes_one_version(rule_store: RuleStore) -> None:
    async def work(unit: RuleUnit) -> bytes:
        unit.keep("sla", SlaPolicyVersioned(name="gold", version=1, promises=[]))
        return b"made"

    for _ in range(2):
        assert await rule_store.once("gold", Use("PUT /gold", "k-1", b"h"), work) == b"made"
    assert len((await rule_store.rules()).policies["gold"]) == 1
