"""Alerts stand on metrics that there are, are tried both ways, and say why they are heard."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chassis.metrics import Kind
from deploy.dashboard import catalogues
from tests.deploy.reading import alerts, prometheus

METRICS = {metric.name: metric for owned in catalogues().values() for metric in owned}
# Prometheus's own, and the labels that its settings put on everything.
PROMETHEUS = {"up"}
TARGET_LABELS = {"service", "job", "instance", "le"}


def called(alert: dict[str, Any]) -> str:
    return str(alert["alert"])


@pytest.mark.parametrize("alert", alerts(), ids=called)
def test_an_alert_stands_on_metrics_and_labels_that_there_are(alert: dict[str, Any]) -> None:
    used = re.findall(r"(throughline_\w+|\bup\b)(?:\{([^}]*)\})?", alert["expr"])
    assert used
    for name, selector in used:
        metric = METRICS.get(name.removesuffix("_bucket"))
        assert metric is not None or name in PROMETHEUS, name
        if metric is not None:
            assert name.endswith("_bucket") == (metric.kind is Kind.HISTOGRAM)
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
        assert labels <= TARGET_LABELS | set(metric.labels if metric else ()), name
    grouped = {label for group in re.findall(r"(?:by|on) \(([^)]*)\)", alert["expr"]) for label in group.split(", ")}
    assert grouped <= TARGET_LABELS | {label for name, _ in used if name in METRICS for label in METRICS[name].labels}


@pytest.mark.parametrize("alert", alerts(), ids=called)
def test_an_alert_says_how_bad_it_is_and_why(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert alert["annotations"].keys() == {"summary", "description"}


@pytest.mark.parametrize("alert", alerts(), ids=called)
def test_an_alert_is_heard_once_and_silent_once_in_its_tests(alert: dict[str, Any]) -> None:
    tried = [case for test in prometheus("alerts_test.yml")["tests"] for case in test["alert_rule_test"]]
    outcomes = {bool(case.get("exp_alerts")) for case in tried if case["alertname"] == alert["alert"]}
    assert outcomes == {True, False}
