"""The checks themselves: which tool looks at which file. Each gives what is wrong, and nothing where nothing is."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from deploy.checks.tools import ROOT, Missing, Tools

Check = Callable[[Tools, Path], Iterator[str]]

_PROMETHEUS = Path("deploy/prometheus")
_DASHBOARD = Path("deploy/grafana/throughline.json")
# What Grafana puts in for its own variables.
_GRAFANA = {"$__rate_interval": "5m", "$service": ".+"}


def image(tools: Tools, root: Path) -> Iterator[str]:
    """The Dockerfile, by hadolint."""
    yield from _complaint(tools.run("hadolint", root / "deploy/Dockerfile"))


def compose(tools: Tools, root: Path) -> Iterator[str]:
    """The compose file, against the schema of its specification."""
    words = ("--builtin-schema", "vendor.compose-spec", root / "deploy/compose.yaml")
    yield from _complaint(tools.run("check-jsonschema", *words))


def kubernetes(tools: Tools, root: Path) -> Iterator[str]:
    """The base and the example, put together by kubectl and held against Kubernetes' own schemas."""
    for name in ("base", "example"):
        well, text = tools.run("kubectl", "kustomize", root / "k8s" / name)
        if not well:
            yield text
            continue
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(text)
            file.flush()
            yield from _complaint(tools.run("kubernetes-validate", "--strict", "--quiet", file.name))


def scraping(tools: Tools, root: Path) -> Iterator[str]:
    """What Prometheus scrapes, by promtool."""
    for name in ("compose.yml", "kubernetes.yml"):
        yield from _complaint(tools.run("promtool", "check", "config", root / _PROMETHEUS / name))


def alerts(tools: Tools, root: Path) -> Iterator[str]:
    """The alert rules and their tests, by promtool."""
    folder = root / _PROMETHEUS
    yield from _complaint(tools.run("promtool", "check", "rules", "alerts.yml", folder=folder))
    yield from _complaint(tools.run("promtool", "test", "rules", "alerts_test.yml", folder=folder))


def dashboard(tools: Tools, root: Path) -> Iterator[str]:
    """Each query of the dashboard: promtool must be able to read it as a rule."""
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        yaml.safe_dump(_as_rules(json.loads((root / _DASHBOARD).read_text())), file)
        file.flush()
        yield from _complaint(tools.run("promtool", "check", "rules", file.name))


CHECKS: Mapping[str, Check] = {
    "deploy/Dockerfile": image,
    "deploy/compose.yaml": compose,
    "k8s": kubernetes,
    "deploy/prometheus, scraping": scraping,
    "deploy/prometheus, alerts": alerts,
    "deploy/grafana": dashboard,
}


def problems(tools: Tools, root: Path = ROOT) -> dict[str, list[str]]:
    """What each check has found, empty where it was content."""
    return {name: _found(check, tools, root) for name, check in CHECKS.items()}


def _found(check: Check, tools: Tools, root: Path) -> list[str]:
    try:
        return list(check(tools, root))
    except Missing as tool:
        return [f"not looked at, for want of {tool}"]


def _complaint(outcome: tuple[bool, str]) -> Iterator[str]:
    well, said = outcome
    if not well:
        yield said.strip()


def _as_rules(content: Mapping[str, Any]) -> dict[str, Any]:
    queries = [target["expr"] for panel in content["panels"] for target in panel.get("targets", ())]
    rules = [{"record": f"query:{number}", "expr": _filled(query)} for number, query in enumerate(queries)]
    return {"groups": [{"name": "dashboard", "rules": rules}]}


def _filled(query: str) -> str:
    for name, value in _GRAFANA.items():
        query = query.replace(name, value)
    return query
