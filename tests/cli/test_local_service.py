"""With what settings a service's own command is run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from throughline.local_service import settings_of
from throughline.stack import Stack
from throughline.trouble import Usage


@pytest.fixture
def local(tmp_path: Path) -> Stack:
    facts = {"kafka": "127.0.0.1:8092", "postgres": {"audit": "postgresql://audit@127.0.0.1:8032/audit"}, "token": "t"}
    (tmp_path / "stack.json").write_text(json.dumps(facts))
    (tmp_path / "secrets.json").write_text(json.dumps({"token": "t", "master_key": "a2V5", "passwords": {}}))
    return Stack({"audit": "http://127.0.0.1:8004"}, "t", tmp_path)


def test_a_local_stack_gives_the_services_own_database_and_key(local: Stack) -> None:
    told = settings_of(local, "audit", {"PATH": "/bin", "DATABASE_URL": "postgresql://another"})
    assert told["DATABASE_URL"] == "postgresql://audit@127.0.0.1:8032/audit"
    assert told["KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:8092"
    assert told["THROUGHLINE_MASTER_KEY"] == "a2V5"
    assert told["PATH"] == "/bin"


def test_a_service_that_the_stack_does_not_have_is_refused(local: Stack) -> None:
    with pytest.raises(Usage, match="router"):
        settings_of(local, "router", {})


def test_without_a_local_stack_the_environment_decides() -> None:
    remote = Stack({"audit": "https://audit.example.org"}, "t")
    assert settings_of(remote, "audit", {"DATABASE_URL": "postgresql://here"}) == {"DATABASE_URL": "postgresql://here"}


def test_without_either_it_is_refused_with_a_remedy() -> None:
    with pytest.raises(Usage) as caught:
        settings_of(Stack({}, None), "audit", {})
    assert "DATABASE_URL" in caught.value.remedy
