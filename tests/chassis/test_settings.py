"""What the environment must say, and the placeholders that only development may use."""

import base64
import hashlib
import json
import os

import pytest
from pydantic import ValidationError

from chassis.settings import ServiceSettings


def tokens(secret: bytes) -> str:
    return json.dumps({hashlib.sha256(secret).hexdigest(): {"name": "crm", "scopes": ["contacts:write"]}})


GOOD = {
    "DATABASE_URL": "postgresql://intake:secret@127.0.0.1:5432/intake",
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
    "THROUGHLINE_MASTER_KEY": base64.b64encode(os.urandom(32)).decode(),
    "THROUGHLINE_TOKENS": tokens(b"real"),
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.startswith("THROUGHLINE_")]:
        monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.usefixtures("environment")
def test_a_complete_environment_is_read() -> None:
    settings = ServiceSettings.from_environment()
    assert settings.dsn == GOOD["DATABASE_URL"]
    assert len(settings.master_key_bytes) == 32
    (token,) = settings.tokens.values()
    assert (token.name, token.scopes) == ("crm", frozenset({"contacts:write"}))
    assert (settings.contacts_partitions, settings.other_partitions, settings.environment) == (12, 3, "production")
    assert settings.replica


@pytest.mark.parametrize("name", list(GOOD))
def test_what_is_required_has_no_default(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)
    with pytest.raises(ValidationError, match=name):
        ServiceSettings.from_environment()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://elsewhere"),
        ("THROUGHLINE_MASTER_KEY", "not base64!"),
        ("THROUGHLINE_MASTER_KEY", base64.b64encode(b"short").decode()),
        ("THROUGHLINE_TOKENS", '{"not a hash": {"name": "x", "scopes": []}}'),
        ("THROUGHLINE_TOPIC_PREFIX", "no spaces"),
        ("THROUGHLINE_CONTACTS_PARTITIONS", "0"),
        ("THROUGHLINE_ENVIRONMENT", "staging"),
    ],
)
def test_what_cannot_be_meant_is_refused(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)
    with pytest.raises(ValidationError):
        ServiceSettings.from_environment()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("THROUGHLINE_MASTER_KEY", base64.b64encode(bytes(32)).decode()),
        ("THROUGHLINE_TOKENS", tokens(b"change-me")),
    ],
)
def test_a_placeholder_starts_in_development_alone(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)
    with pytest.raises(ValidationError, match="placeholder"):
        ServiceSettings.from_environment()
    environment.setenv("THROUGHLINE_ENVIRONMENT", "development")
    assert ServiceSettings.from_environment().environment == "development"


@pytest.mark.usefixtures("environment")
def test_secrets_are_not_shown() -> None:
    shown = repr(ServiceSettings.from_environment())
    assert "secret@" not in shown
    assert GOOD["THROUGHLINE_MASTER_KEY"] not in shown
