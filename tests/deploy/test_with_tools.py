"""Each check bites: a copy of the deployment that is broken in one place is found out by the real tool."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deploy.checks.files import CHECKS
from deploy.checks.tools import ROOT, Tools

pytestmark = pytest.mark.tools

BROKEN = [
    ("deploy/Dockerfile", "deploy/Dockerfile", "python:3.11-slim-bookworm", "python:latest"),
    ("deploy/compose.yaml", "deploy/compose.yaml", "    image: postgres:18\n", "    imagine: postgres:18\n"),
    ("k8s", "k8s/base/router.yaml", "containerPort: 8002", "containerport: 8002"),
    ("k8s", "k8s/base/pod.yaml", "readOnlyRootFilesystem: true", 'readOnlyRootFilesystem: "true"'),
    ("k8s", "k8s/base/kustomization.yaml", "  - audit.yaml\n", "  - audits.yaml\n"),
    ("deploy/prometheus, scraping", "deploy/prometheus/kubernetes.yml", "dns_sd_configs", "dns_sd_config"),
    ("deploy/prometheus, alerts", "deploy/prometheus/alerts.yml", "max by (service)", "max by service"),
    (
        "deploy/prometheus, alerts",
        "deploy/prometheus/alerts.yml",
        "outbox_age_seconds) > 30",
        "outbox_age_seconds) > 300",
    ),
    ("deploy/grafana", "deploy/grafana/throughline.json", "sum by (service) (", "sum by (service) (("),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for part in ("deploy", "k8s"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("local", "__pycache__"))
    return tmp_path


@pytest.mark.parametrize("check", CHECKS)
def test_the_deployment_is_well(copy: Path, check: str) -> None:
    assert list(CHECKS[check](Tools(), copy)) == []


@pytest.mark.parametrize(("check", "file", "right", "wrong"), BROKEN)
def test_what_is_broken_is_found_out(copy: Path, check: str, file: str, right: str, wrong: str) -> None:
    text = (copy / file).read_text()
    assert right in text
    (copy / file).write_text(text.replace(right, wrong, 1))
    assert list(CHECKS[check](Tools(), copy))
