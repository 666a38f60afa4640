"""Policies and calendars over HTTP: by version, validated, once a key, and told to the log."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from tests.integration.escalation.world import World
from tests.support.escalation import Life

pytestmark = pytest.mark.asyncio(loop_scope="session")

OFFICE = {"time_zone": "Europe/Zurich", "week": {"mon": [{"start": "08:00", "end": "17:00"}]}}
PROMISE = {"promise": "connect", "start": "ContactReceived", "stop": "Connected", "target_us": 1_000_000}


def fresh(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


async def test_a_policy_is_there_from_the_beginning(world: World) -> None:
    shown = await world.replica.json("/v1/policies/sla/default", version=1)
    assert (shown["version"], [each["target_us"] for each in shown["promises"]]) == (
        1, [60_000_000, 300_000_000, 900_000_000]
    )  # fmt: skip
    assert (await world.replica.get(f"/v1/policies/sla/{fresh('none')}")).status_code == 404
    assert (await world.replica.get(f"/v1/calendars/{fresh('none')}")).status_code == 404


async def test_each_change_is_a_version_that_is_told_and_can_be_read_for_ever(world: World) -> None:
    name, path = fresh("p"), "/v1/policies/sla/"
    nobody = {"match": {"queues": ["nobody's"]}}
    first = (await world.replica.put(path + name, {"promises": [PROMISE | nobody], "by": "ops"})).json()
    same = (await world.replica.put(path + name, first)).json()
    second = (await world.replica.put(path + name, {"promises": []})).json()
    assert (first["version"], same, second["version"]) == (1, first, 2)
    assert await world.replica.json(path + name) == second
    assert await world.replica.json(path + name, version=1) == first
    facts = await world.service.facts(f"policies/{name}")
    assert [(fact["type"], fact["name"], fact["version"], fact["by"]) for fact in facts] == [
        ("SlaPolicyVersioned", name, 1, "ops"), ("SlaPolicyVersioned", name, 2, "tests")
    ]  # fmt: skip


async def test_a_policy_and_a_calendar_of_one_name_are_told_in_one_sequence(world: World) -> None:
    name = fresh("both")
    await world.replica.put(f"/v1/calendars/{name}", OFFICE)
    await world.replica.put(f"/v1/policies/sla/{name}", {"promises": []})
    asked = "select type, version, key from events where topic = 'policies' and key = $1 order by version"
    assert await world.service.rows(asked, name) == [("CalendarVersioned", 1, name), ("SlaPolicyVersioned", 2, name)]


async def test_twenty_at_once_make_twenty_versions(world: World) -> None:
    name = fresh("p")
    bodies = [{"promises": [PROMISE | {"target_us": n + 1, "match": {"queues": ["nobody's"]}}]} for n in range(20)]
    answers = await asyncio.gather(*(world.replica.put(f"/v1/policies/sla/{name}", body) for body in bodies))
    assert sorted(answer.json()["version"] for answer in answers) == list(range(1, 21))


async def test_a_key_makes_one_version(world: World) -> None:
    path = f"/v1/calendars/{fresh('c')}"
    first = await world.replica.put(path, OFFICE, "k-1")
    await world.replica.put(path, OFFICE | {"time_zone": "UTC"})
    again = await world.replica.put(path, OFFICE, "k-1")
    assert (again.json(), again.json()["version"]) == (first.json(), 1)
    other = await world.replica.put(path, OFFICE | {"time_zone": "UTC"}, "k-1")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/policies/sla/p", {"promises": [PROMISE | {"calendar": "nowhere"}]}, "promises.0.calendar"),
        ("/v1/policies/sla/p", {"promises": [PROMISE | {"colour": "red"}]}, "promises.0.colour"),
        ("/v1/policies/sla/p", {"promises": [PROMISE | {"target_us": 1.5}]}, "promises.0.target_us"),
        ("/v1/policies/sla/p", {"promises": [PROMISE | {"target_us": 0}]}, "promises.0.target_us"),
        ("/v1/policies/sla/p", {"promises": [], "name": "q"}, "name"),
        ("/v1/policies/sla/p", {}, "promises"),
        ("/v1/policies/sla/p%20q", {"promises": []}, "name"),
        ("/v1/calendars/c", OFFICE | {"time_zone": "Mars/Olympus"}, "time_zone"),
        ("/v1/calendars/c", OFFICE | {"week": {"mon": [{"start": "8:00", "end": "17:00"}]}}, "week.mon.0.start"),
        ("/v1/calendars/c", OFFICE | {"week": {"monday": []}}, "week.monday"),
    ],
)
async def test_what_is_wrong_is_named(world: World, path: str, body: dict[str, object], field: str) -> None:
    answer = await world.replica.put(path, body)
    assert answer.status_code == 422
    assert any(error["field"].startswith(field) for error in answer.json()["errors"]), answer.text


async def test_a_promise_of_business_time_counts_the_calendars_hours(world: World) -> None:
    calendar, policy, queue = fresh("c"), fresh("p"), fresh("q")
    await world.replica.put(f"/v1/calendars/{calendar}", OFFICE | {"time_zone": "UTC"})
    promise = PROMISE | {"target_us": 3_600_000_000, "calendar": calendar, "match": {"queues": [queue]}}
    promise["promise"] = "time_to_connect"
    assert (await world.replica.put(f"/v1/policies/sla/{policy}", {"promises": [promise]})).status_code == 200
    life = Life()
    await world.known(life, life.received(queue=queue))
    (clock,) = await world.replica.clocks(life.request_id)
    assert (clock["calendar"], clock["calendar_version"], clock["policy"]) == (calendar, 1, policy)
    assert clock["due_at"] > clock["started_at"]


@pytest.mark.parametrize("path", ["/v1/breaches", "/v1/policies/sla/default", "/v1/requests/x/clocks"])
async def test_unknown_parameters_are_refused_by_name(world: World, path: str) -> None:
    answer = await world.replica.get(path, colour="red")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "colour")
