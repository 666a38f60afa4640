"""Grafana's dashboard, made from the catalogues of metrics: `make dashboard` writes it, a test compares it.

One panel for each metric: what all services have in common first, then a row for each service that has its own.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from chassis import metrics as chassis_metrics
from chassis.metrics import Kind, Metric
from local_stack.services import SERVICES

TARGET = Path(__file__).resolve().parent / "grafana" / "throughline.json"

_WIDTH, _HEIGHT, _ACROSS = 8, 8, 24
_UNITS = {"seconds": "s", "us": "µs", "ms": "ms", "bytes": "bytes"}
_QUANTILES = (0.5, 0.9, 0.99)
# Where a line for each value of every label would be too many to read: these labels, summed over the others.
_SHOWN: Mapping[str, tuple[str, ...]] = {
    chassis_metrics.CONSUMER_LAG.name: ("consumer",),
    chassis_metrics.HTTP_REQUESTS.name: ("status",),
    chassis_metrics.HTTP_DURATION.name: (),
}
_SOURCE = {"type": "prometheus", "uid": "${source}"}


def main() -> None:
    TARGET.write_text(text())


def text() -> str:
    """The dashboard as Grafana reads it."""
    return json.dumps(dashboard(catalogues()), indent=1, ensure_ascii=False) + "\n"


def catalogues() -> dict[str, Sequence[Metric]]:
    """The metrics by who has them; what every service has comes first, under an empty name."""
    own = {service.name: _own(service.package) for service in SERVICES}
    return {"": chassis_metrics.CATALOGUE, **{name: found for name, found in own.items() if found}}


def dashboard(by_owner: Mapping[str, Sequence[Metric]]) -> dict[str, Any]:
    panels = list(_panels(by_owner))
    for number, panel in enumerate(panels, start=1):
        panel["id"] = number
    return {
        "uid": "throughline",
        "title": "Throughline",
        "schemaVersion": 41,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "utc",
        "templating": {"list": [_source(), _service()]},
        "panels": panels,
    }


def _own(package: str) -> Sequence[Metric]:
    if importlib.util.find_spec(f"{package}.metrics") is None:
        return ()
    found: Sequence[Metric] = importlib.import_module(f"{package}.metrics").CATALOGUE
    return found


def _panels(by_owner: Mapping[str, Sequence[Metric]]) -> Iterator[dict[str, Any]]:
    top = 0
    for owner, metrics in by_owner.items():
        yield {
            "type": "row",
            "title": owner or "All services",
            "collapsed": False,
            "gridPos": _place(top, 0, _ACROSS, 1),
        }
        made = [_panel(metric) for metric in metrics] if owner else [_up(), *map(_panel, metrics)]
        for number, panel in enumerate(made):
            row, column = divmod(number * _WIDTH, _ACROSS)
            yield panel | {"gridPos": _place(top + 1 + row * _HEIGHT, column, _WIDTH, _HEIGHT)}
        top += 1 + -(-len(made) * _WIDTH // _ACROSS) * _HEIGHT


def _panel(metric: Metric) -> dict[str, Any]:
    unit = _UNITS.get(metric.unit, "short")
    rate = metric.kind is Kind.COUNTER
    return _graph(
        metric.meaning,
        f"{metric.name} [{metric.unit}{'/s' if rate else ''}]",
        "short" if rate else unit,
        list(_queries(metric)),
    )


def _queries(metric: Metric) -> Iterator[tuple[str, str]]:
    """Pairs of a query and its legend."""
    labels = ("service", *_SHOWN.get(metric.name, metric.labels))
    by, legend = ", ".join(labels), " ".join(f"{{{{{label}}}}}" for label in labels)
    if metric.kind is Kind.COUNTER:
        yield f"sum by ({by}) (rate({_chosen(metric.name)}[$__rate_interval]))", legend
    elif metric.kind is Kind.GAUGE:
        # Replicas that look at the same table say the same; only what was summed over labels is shared out among them.
        yield f"{'sum' if metric.name in _SHOWN else 'max'} by ({by}) ({_chosen(metric.name)})", legend
    else:
        rates = f"sum by ({by}, le) (rate({_chosen(metric.name + '_bucket')}[$__rate_interval]))"
        for quantile in _QUANTILES:
            yield f"histogram_quantile({quantile}, {rates})", f"{legend} p{quantile * 100:g}"


def _chosen(name: str) -> str:
    return f'{name}{{service=~"$service"}}'


def _up() -> dict[str, Any]:
    query = 'sum by (service) (up{job="throughline", service=~"$service"})'
    return _graph("Replicas that answer", "up", "short", [(query, "{{service}}")])


def _graph(title: str, description: str, unit: str, queries: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": title,
        "description": description,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + number), "datasource": _SOURCE, "expr": query, "legendFormat": legend}
            for number, (query, legend) in enumerate(queries)
        ],
    }


def _place(top: int, left: int, width: int, height: int) -> dict[str, int]:
    return {"x": left, "y": top, "w": width, "h": height}


def _source() -> dict[str, Any]:
    return {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"}


def _service() -> dict[str, Any]:
    query = 'label_values(up{job="throughline"}, service)'
    return {
        "name": "service",
        "type": "query",
        "label": "Service",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": "services"},
        "definition": query,
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"text": "All", "value": "$__all"},
    }


if __name__ == "__main__":
    main()
