"""What the documents say is so: targets, links, settings, metrics, paths, and the page of benchmarks."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic.fields import FieldInfo

import audit.main
import audit.metrics
import escalation.main
import escalation.metrics
import intake.main
import kb_search.main
import kb_search.metrics
import router.main
import router.metrics
from audit.settings import AuditSettings
from bench.tables import page
from chassis.metrics import CATALOGUE
from chassis.settings import ServiceSettings
from escalation.settings import EscalationSettings
from events.imports import IMPORTABLE
from intake.settings import IntakeSettings
from kb_search.settings import KbSearchSettings
from router.settings import RouterSettings
from tests.cli.test_help import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TO_COME = "to come"
NOWHERE = {
    "DATABASE_URL": "postgresql://nowhere.invalid/none",
    "KAFKA_BOOTSTRAP_SERVERS": "nowhere.invalid:9092",
    "THROUGHLINE_MASTER_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "THROUGHLINE_TOKENS": {},
}


def named(path: Path) -> str:
    """How a document is called in a report."""
    return str(path.relative_to(ROOT))


def targets() -> set[str]:
    """What `make` knows."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_make_command_in_a_document_is_a_target(document: Path) -> None:
    commands = re.findall(r"(?:^|`|: |&& )make ([a-z-]+)", document.read_text(), re.MULTILINE)
    assert set(commands) <= targets()


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_throughline_command_in_a_document_is_one(document: Path) -> None:
    commands = re.findall(r"(?:^|`)throughline ([a-z-]+)", document.read_text(), re.MULTILINE)
    assert set(commands) <= set(COMMANDS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if not target.startswith(("http://", "https://")):
            path, _, anchor = target.partition("#")
            there = (document.parent / path).resolve() if path else document
            assert there.exists(), target
            assert not anchor or anchor in anchors(there), target


def anchors(document: Path) -> set[str]:
    """The anchors that a Markdown viewer gives to headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def rows(document: str, heading: str) -> Iterator[list[str]]:
    """The cells of the first table under a heading, without its two first lines."""
    yield from next(tables(document, heading))


def tables(document: str, heading: str) -> Iterator[list[list[str]]]:
    """The cells of each table under a heading, whatever headings of lower rank stand between."""
    following = (ROOT / document).read_text().partition(f"\n{heading}\n")[2]
    rank = heading.partition(" ")[0]
    for table in re.findall(r"(?:^\|.*\n)+", following.partition(f"\n{rank} ")[0], re.MULTILINE):
        yield [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()[2:]]


def variables(settings: type[ServiceSettings]) -> dict[str, FieldInfo]:
    """A settings class's fields by their variable."""
    return {str(field.validation_alias): field for field in settings.model_fields.values()}


def test_the_settings_table_has_each_variable_with_its_service_and_default() -> None:
    shared = variables(ServiceSettings)
    own = {
        "intake": variables(IntakeSettings),
        "audit": variables(AuditSettings),
        "escalation": variables(EscalationSettings),
    }
    said = {cells[0].strip("`"): cells for cells in rows("docs/operations.md", "## Settings")}
    assert said.keys() == shared.keys() | set().union(*own.values())
    for name, (_, service, default, _) in said.items():
        assert service == ("all" if name in shared else next(each for each in own if name in own[each]))
        field = shared.get(name) or own[service][name]
        if field.is_required():
            assert default == ""
        elif field.default_factory is None and field.default not in (None, ""):
            assert default == f"`{field.default}`"


def test_the_metrics_table_is_the_catalogue() -> None:
    own = (audit.metrics, router.metrics, escalation.metrics, kb_search.metrics)
    every = (*CATALOGUE, *(metric for service in own for metric in service.CATALOGUE))
    catalogue = {metric.name: metric.kind for metric in every}
    said = {cells[0].strip("`"): cells[1] for cells in rows("docs/operations.md", "## Metrics")}
    assert said == catalogue


def test_the_alerts_table_is_what_prometheus_is_told() -> None:
    rules = (ROOT / "deploy/prometheus/alerts.yml").read_text()
    said = {name for cells in rows("docs/operations.md", "### Alerts") for name in re.findall(r"`(\w+)`", cells[0])}
    assert said == set(re.findall(r"- alert: (\w+)", rules))


def operations(app: FastAPI) -> set[str]:
    """`METHOD /path` of everything that a service offers."""
    paths = app.openapi()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


@pytest.mark.parametrize("service", ["intake", "router", "audit", "escalation", "kb-search"])
def test_the_contract_has_each_path_of_a_service_and_no_other(service: str) -> None:
    app = {
        "intake": lambda: intake.main.build(IntakeSettings.model_validate(NOWHERE)),
        "router": lambda: router.main.build(RouterSettings.model_validate(NOWHERE)),
        "audit": lambda: audit.main.build(AuditSettings.model_validate(NOWHERE)),
        "escalation": lambda: escalation.main.build(EscalationSettings.model_validate(NOWHERE)),
        "kb-search": lambda: kb_search.main.build(KbSearchSettings.model_validate(NOWHERE)),
    }[service]()
    said: set[str] = set()
    for cells in itertools.chain(*tables("docs/contract.md", f"## {service}")):
        if not any(cell.strip("* ") == TO_COME for cell in cells):
            said |= set(re.findall(r"`((?:GET|POST|PUT|DELETE) [^`]+)`", cells[0]))
    offered = operations(app)
    assert said == offered


def test_the_contract_has_each_type_that_can_be_imported() -> None:
    table = [cells[0] for cells in rows("docs/contract.md", "### What can be imported")]
    assert {name for cell in table for name in cell.split(", ")} == set(IMPORTABLE)


def test_the_page_of_benchmarks_is_what_the_results_say() -> None:
    assert (ROOT / "docs/benchmarks.md").read_text() == page()
