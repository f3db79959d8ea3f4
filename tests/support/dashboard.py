"""The Grafana dashboard of docs/deploy, and which of its metrics and labels a `/metrics` page has."""

import json
import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

DASHBOARD = Path(__file__).resolve().parents[2] / "docs" / "deploy" / "monitoring" / "dashboard.json"


def expressions(prefix: str) -> list[str]:
    """The PromQL expressions about metrics whose names begin with `prefix`."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    found = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    return [expression for expression in found if prefix in expression]


def missing(page: str, prefix: str) -> list[str]:
    """What the dashboard's expressions about `prefix` name and the page has not: metrics, or labels of a metric."""
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            # Prometheus adds the server it asked.
            labels.setdefault(sample.name, {"instance"}).update(sample.labels)
    lost = []
    for expression in expressions(prefix):
        grouped = {name.strip() for names in re.findall(r"by \(([^)]*)\)", expression) for name in names.split(",")}
        for metric in re.findall(rf"{prefix}\w+", expression):
            lost += sorted(f"{metric}{{{label}}}" for label in grouped - labels.get(metric, set()))
    return lost
