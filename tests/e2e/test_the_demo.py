"""The demo on the real stack: played to its end and proved, undisturbed by what was there; refused where it must be."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

from events.times import to_text, to_us
from local_stack.services import SERVICES
from tests.e2e.conftest import Command
from tests.e2e.product import Product
from tests.support.until import until
from throughline.drawing import HEADLINES

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


def test_a_missing_service_is_named_and_nothing_is_begun(product: Product, command: Command) -> None:
    os.kill(product.pids()["escalation"], signal.SIGKILL)
    said = command(*SHORT, fails=True)
    assert "the demo needs all five services; escalation: no answer" in said
    assert "A bank's day" not in said
    product.up()


def _received_since(product: Product, moment: str) -> int:
    span = {"from": moment, "to": to_text(to_us(moment) + 10 * MINUTE_US)}
    return sum(group["requests"] for group in product.get("/v1/reports/durations", **span).json()["groups"])


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
