"""The secrets of a deployment are made once, fit what the services demand, and are for their owner alone."""

from __future__ import annotations

import hashlib
import json
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.settings import ServiceSettings
from deploy import new_secrets
from local_stack.services import SERVICES
from tests.deploy.reading import DEPLOY, compose


def made(target: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, DEPLOY / "new_secrets.py", target], capture_output=True, text=True, check=False
    )


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / ".env"
    assert made(path).returncode == 0
    return path


def values(path: Path) -> dict[str, str]:
    """As compose reads them: quotes fall away."""
    lines = [line.split("=", 1) for line in path.read_text().splitlines()]
    return {name: value.strip("'") for name, value in lines}


def test_a_second_call_leaves_them_alone(target: Path) -> None:
    before = target.read_text()
    again = made(target)
    assert again.returncode == 1
    assert "left alone" in again.stderr
    assert target.read_text() == before
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_they_are_all_that_the_compose_file_asks_for(target: Path) -> None:
    asked = set(re.findall(r"\$\{(\w+)(?::\?[^}]*)?\}", (DEPLOY / "compose.yaml").read_text()))
    assert values(target).keys() == asked | {"THROUGHLINE_TOKEN"}


def test_every_service_takes_them(target: Path) -> None:
    secrets = values(target)
    for service in SERVICES:
        told = {
            name: re.sub(r"\$\{(\w+)[^}]*\}", lambda asked: secrets.get(asked[1], ""), value)
            for name, value in compose()[service.name]["environment"].items()
        }
        told["THROUGHLINE_TOKENS"] = json.loads(told["THROUGHLINE_TOKENS"])
        settings = ServiceSettings.model_validate(told)
        assert hashlib.sha256(secrets["THROUGHLINE_TOKEN"].encode()).hexdigest() in settings.tokens
        assert f":{secrets[f'{new_secrets.variable(service.name)}_DATABASE_PASSWORD']}@" in settings.dsn


def test_a_clusters_id_is_one_for_kafka() -> None:
    made = {re.search(r"KAFKA_CLUSTER_ID=(\S+)", new_secrets.settings()) for _ in range(50)}
    assert all(each and re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}", each[1]) for each in made)
