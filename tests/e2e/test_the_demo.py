"""The demo on the real stack: played to its end and proved, undisturbed by what was there; refused where it must be."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import httpx

from events.times import to_text, to_us
from local_stack.services import SERVICES
from tests.cli.fake_bank import ROUTER, STACK, FakeBank
from tests.e2e.conftest import Command
from tests.e2e.product import Product
from tests.support.until import until
from throughline.demo.log import Log
from throughline.demo.playing import new_run
from throughline.demo.proof import timelines_of
from throughline.demo.wire import connected
from throughline.drawing import HEADLINES
from throughline.stack import Stack

SHORT = ("demo", "--seconds", "10", "--contacts", "24", "--seed", "3")
MINUTE_US = 60_000_000
README = Path(__file__).resolve().parents[2] / "README.md"


async def test_a_short_day_is_played_and_proved_on_a_stack_in_use(product: Product, command: Command) -> None:
    other = product.post("/v1/contacts", {"channel": "voice", "customer": {"id": "somebody-else"}, "queue": "accounts"})
    said = command(*SHORT)

    assert re.search(r"24 contacts were answered 202; 24 have a timeline", said)
    assert re.search(r"events were answered with yes, 0 of them missing; [1-9]\d* in the log, 0 twice", said)
    assert "greatest residual of any timeline: 0 µs" in said
    assert re.search(r"0 of [1-9]\d* agents' channels over capacity", said)
    for name in HEADLINES:
        assert re.search(rf"{name} +[\d,]+ +\d", said), name
    assert len(re.findall(r"^\d\d:\d\d  contacts", said, re.MULTILINE)) > 5

    run = re.search(r"run ([0-9a-f]{8})\b", said)
    assert run is not None
    agents = product.get("/v1/agents", "router", limit="1000").json()["items"]
    ours = [agent for agent in agents if agent["agent_id"].endswith(run[1])]
    assert ours
    assert {agent["presence"] for agent in ours} == {"offline"}
    await until(product.drained, 30, "audit has all that happened")
    assert _received_since(product, other["received_at"]) == 24 + 1
    assert product.get(f"/v1/requests/{other['request_id']}/timeline").json()["state"] == "waiting"


async def test_the_readmes_first_calls_work_as_they_are_printed(product: Product) -> None:
    prepare, receive, serve, look = _blocks("First calls")[:4]
    answers = _typed(product, prepare, receive)
    request_id = json.loads(answers[-1])["request_id"]
    view = f"/v1/requests/{request_id}"
    await until(lambda: product.get(view, "router").json().get("state") == "offered", 20, "she is offered it")

    serve = re.sub(r"^REQUEST=.*", f"REQUEST={request_id}", serve, flags=re.MULTILINE)
    *_, resolved = _typed(product, prepare, serve)
    assert (json.loads(resolved)["state"], json.loads(resolved)["version"]) == ("resolved", 5)
    await until(product.drained, 30, "audit has it")
    shown = "\n".join(_typed(product, prepare, f"REQUEST={request_id}\n{look}"))
    assert re.search(r"connected_to_resolved_us +[\d,]+ +\d", shown)
    assert "articles card-late" in " ".join(shown.split())


async def test_the_bank_in_memory_answers_as_the_real_one(product: Product) -> None:
    facts = product.facts()
    real = Stack({service.name: str(facts[service.name]) for service in SERVICES}, str(facts["token"]))
    assert await _life(STACK, FakeBank().transport()) == await _life(real, None)


def test_a_missing_service_is_named_and_nothing_is_begun(product: Product, command: Command) -> None:
    os.kill(product.pids()["escalation"], signal.SIGKILL)
    said = command(*SHORT, fails=True)
    assert "the demo needs all five services; escalation: no answer" in said
    assert "A bank's day" not in said
    product.up()


def _received_since(product: Product, moment: str) -> int:
    span = {"from": moment, "to": to_text(to_us(moment) + 10 * MINUTE_US)}
    return sum(group["requests"] for group in product.get("/v1/reports/durations", **span).json()["groups"])


async def _life(stack: Stack, transport: httpx.AsyncBaseTransport | None) -> list[object]:
    """What a stack answers to one contact's life, with all that differs from stack to stack left out."""
    told: list[object] = []
    async with connected(stack, new_run(), transport) as wire:
        log = Log(wire.run, lambda _: None)
        await log.begin(wire)

        async def order(verb: str, **body: object) -> None:
            path = f"/v1/requests/{request_id}/{verb}"
            answer = await wire.once_known("router", path, body, but={409})
            told.append((verb, answer.status_code))

        async def holds(agent_id: str, *wanted: tuple[str, int]) -> None:
            async def there() -> bool:
                held = (await wire.get("router", f"/v1/agents/{agent_id}"))["assignments"]
                return [(each["state"], each["leg"]) for each in held] == list(wanted)

            await until(there, 20, f"{agent_id} holds {wanted}")

        hana, uma = (f"{name}-{wire.run}" for name in ("hana", "uma"))
        for tier, agent_id in ((1, hana), (2, uma)):
            body = {"name": "x", "queues": [f"cards-{wire.run}"], "tier": tier, "channels": {"voice": 1}}
            await wire.put("router", f"/v1/agents/{agent_id}", body)
            await wire.put("router", f"/v1/agents/{agent_id}/presence", {"status": "available"})
        contact = {"channel": "voice", "queue": f"cards-{wire.run}", "customer": {"id": "c-1"}}
        request_id = (await wire.command("intake", "/v1/contacts", contact)).json()["request_id"]
        await holds(hana, ("offered", 1))
        await order("accept", agent_id=uma, leg=1)
        await order("accept", agent_id=hana, leg=2)
        await order("accept", agent_id=hana, leg=1)
        escalation = {"by": hana, "reason": "too hard"}
        answer = await wire.once_known("escalation", f"/v1/requests/{request_id}/escalations", escalation)
        told.append(answer.json()["to_tier"])
        await holds(uma, ("offered", 2))
        await holds(hana)
        await order("resolve", agent_id=hana, leg=1, code="done")
        for verb in ("accept", "pause", "resume", "resolve"):
            await order(verb, agent_id=uma, leg=2, **({"reason": "hold"} if verb == "pause" else {}))
        message = {"channel": "sms", "body": "Still wrong."}
        await wire.command("intake", f"/v1/requests/{request_id}/messages", message)
        await holds(uma, ("offered", 3))
        await wire.put("router", f"/v1/agents/{uma}/presence", {"status": "away"})
        await order("decline", agent_id=uma, leg=3, reason="busy")
        await order("abandon", reason="left")
        await order("abandon", reason="left")

        async def told_all() -> bool:
            await log.read(wire)
            return all(event_id in log.counted for event_id in wire.answered.events)

        await until(told_all, 30, "audit has it")
        records = [each for each in log.by_request[request_id] if each["source"] == ROUTER]
        told += [(each["type"], each["sequence"], each["data"].get("reason")) for each in records]
        told.append((await timelines_of(wire, [request_id]))[request_id]["state"])
    return told


def _blocks(section: str) -> list[str]:
    """The shell blocks of one section of the README."""
    text = README.read_text(encoding="utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


def _typed(product: Product, *blocks: str) -> list[str]:
    """The lines that a shell shows for these blocks, typed on a stack that is up at other ports."""
    script = "\n".join(blocks).replace("make up\n", "").replace(".run/stack.json", str(product.layout.stack_file))
    for service in SERVICES:
        script = script.replace(f"http://127.0.0.1:{8000 + service.port}", product.facts()[service.name])
    environment = {**os.environ, "THROUGHLINE_RUN_DIR": str(product.layout.run), "COLUMNS": "120"}
    done = subprocess.run(
        ["bash", "-ec", script], cwd=README.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()
