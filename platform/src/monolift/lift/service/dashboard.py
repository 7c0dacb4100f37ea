"""The dashboard of a service, for Grafana: the same metrics as its alerts."""

import json
from typing import Any

from monolift.lift.service.facts import Service

_PANELS = (
    ("Calls served a second", "ops", "sum by (operation) (rate(monolift_calls_total{SERVED}[5m]))"),
    (
        "Failures, share of calls",
        "percentunit",
        (
            "sum by (operation) (rate(monolift_call_failures_total{SERVED}[5m])) / "
            "sum by (operation) (rate(monolift_calls_total{SERVED}[5m]))"
        ),
    ),
    (
        "Time of a call, mean",
        "s",
        (
            "sum by (operation) (rate(monolift_call_seconds_total{SERVED}[5m])) / "
            "sum by (operation) (rate(monolift_calls_timed_total{SERVED}[5m]))"
        ),
    ),
    (
        "Calls made to others a second",
        "ops",
        'sum by (operation) (rate(monolift_calls_total{JOB, side="made"}[5m]))',
    ),
    ("Deliveries due", "none", "max by (module) (monolift_deliveries_due{JOB})"),
    ("Longest wait of a delivery", "s", "max by (module) (monolift_delivery_late_seconds{JOB})"),
    ("Longest wait for the relay", "s", "max by (module) (monolift_outbox_late_seconds{JOB})"),
    (
        "Waiting for a person: deliveries",
        "none",
        "max by (module) (monolift_deliveries_failed{JOB})",
    ),
    ("Waiting for a person: sagas", "none", "max by (module) (monolift_sagas_stuck{JOB})"),
    (
        "Breakers of the callers",
        "none",
        'max by (job, breaker) (monolift_breaker_open{breaker=~".* in DEPLOYABLE"})',
    ),
    ("Processes that answer", "none", "sum by (component) (up{JOB})"),
    ("Epoch of the topology", "none", "max by (pod) (monolift_topology_epoch{JOB})"),
)
_COLUMNS, _WIDTH, _HEIGHT = 3, 8, 8


def dashboard(service: Service) -> str:
    """As JSON, to be imported or provisioned; its data source is a variable."""
    words = {
        "SERVED": f'job="{service.name}", side="served"',
        "JOB": f'job="{service.name}"',
        "DEPLOYABLE": service.deployable,
    }
    panels = []
    for number, (title, unit, query) in enumerate(_PANELS):
        for word, meaning in words.items():
            query = query.replace(word, meaning)
        panels.append(_panel(number, title, unit, query))
    return (
        json.dumps(
            {
                "uid": f"monolift-{service.name}"[:40],
                "title": f"{service.system}: {service.name}",
                "tags": ["monolift", service.owner],
                "schemaVersion": 39,
                "refresh": "30s",
                "time": {"from": "now-3h", "to": "now"},
                "templating": {
                    "list": [{"name": "source", "type": "datasource", "query": "prometheus"}]
                },
                "panels": panels,
            },
            indent=2,
        )
        + "\n"
    )


def _panel(number: int, title: str, unit: str, query: str) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${source}"}
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "datasource": source,
        "gridPos": {
            "x": number % _COLUMNS * _WIDTH,
            "y": number // _COLUMNS * _HEIGHT,
            "w": _WIDTH,
            "h": _HEIGHT,
        },
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": [{"refId": "A", "expr": query, "datasource": source}],
    }
