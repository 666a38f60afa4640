"""Every route of every service asks for a token, but for the probes and the docs."""

import base64
from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI

import audit.main
import audit.settings
import escalation.main
import escalation.settings
import intake.main
import intake.settings
import kb_search.main
import kb_search.settings
import router.main
import router.settings
from chassis.settings import ServiceSettings

ENVIRONMENT = {
    "DATABASE_URL": "postgresql://nowhere.invalid/none",
    "KAFKA_BOOTSTRAP_SERVERS": "nowhere.invalid:9092",
    "THROUGHLINE_MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
    "THROUGHLINE_TOKENS": {},
}
Build = Callable[[], FastAPI]


def build(settings: type[ServiceSettings], make: Callable[..., FastAPI]) -> Build:
    return lambda: make(settings.model_validate(ENVIRONMENT))


SERVICES = {
    "intake": build(intake.settings.IntakeSettings, intake.main.build),
    "router": build(router.settings.RouterSettings, router.main.build),
    "escalation": build(escalation.settings.EscalationSettings, escalation.main.build),
    "audit": build(audit.settings.AuditSettings, audit.main.build),
    "kb-search": build(kb_search.settings.KbSearchSettings, kb_search.main.build),
}
OPEN = {"/healthz", "/readyz", "/metrics"}


@pytest.mark.parametrize("service", SERVICES)
async def test_without_a_token_every_route_answers_401(service: str) -> None:
    app = SERVICES[service]()
    operations = [
        (method, path) for path, item in app.openapi()["paths"].items() for method in item if path not in OPEN
    ]
    assert operations
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        for method, path in operations:
            asked = path.replace("{", "").replace("}", "")
            response = await client.request(method, asked, content=b"{broken")
            assert response.status_code == 401, f"{method} {path} answers {response.status_code} without a token"


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_stands_in_the_document(service: str) -> None:
    app = SERVICES[service]()
    told = app.openapi()["paths"].keys()
    plain = {getattr(route, "path", None) for route in app.router.routes if getattr(route, "include_in_schema", False)}
    assert plain - {None} - OPEN <= told
