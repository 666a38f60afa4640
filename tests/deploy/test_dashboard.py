"""The dashboard is what the catalogues of metrics make, and every metric is on it."""

from __future__ import annotations

import json

from chassis.metrics import Kind, Metric
from deploy.dashboard import TARGET, catalogues, dashboard, text

OWN = Metric("throughline_own_total", Kind.COUNTER, "things", "Things of its own", ("colour",))


def test_the_dashboard_is_made_from_the_catalogues() -> None:
    assert TARGET.read_text() == text(), "run `make dashboard`"


def test_every_metric_has_its_panel() -> None:
    queries = [target["expr"] for panel in json.loads(text())["panels"] for target in panel.get("targets", ())]
    for metric in (metric for owned in catalogues().values() for metric in owned):
        assert any(f"{metric.name}{{" in query or f"{metric.name}_bucket{{" in query for query in queries), metric.name


def test_a_services_own_metrics_stand_in_a_row_of_its_own() -> None:
    made = dashboard({"": (), "router": (OWN,)})["panels"]
    assert [panel["title"] for panel in made] == ["All services", "Replicas that answer", "router", OWN.meaning]
    (target,) = made[-1]["targets"]
    assert (
        target["expr"]
        == 'sum by (service, colour) (rate(throughline_own_total{service=~"$service"}[$__rate_interval]))'
    )


def test_no_two_panels_overlap_and_none_sticks_out() -> None:
    places = [panel["gridPos"] for panel in json.loads(text())["panels"]]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
