"""Alerts of a service, and the tests that Prometheus' own tool runs of them.

They name no metric but those of `monolift.gateway.metrics`, and `up`, which Prometheus makes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from monolift.lift.service.facts import Service
from monolift.lift.service.filling import filled

_MINUTES_TRIED = 10
_MEAN = (
    'sum by (operation) (rate(monolift_call_seconds_total{{job="{name}", side="served", '
    'operation=~"{names}"}}[5m])) / sum by (operation) (rate(monolift_calls_timed_total'
    '{{job="{name}", side="served", operation=~"{names}"}}[5m])) > {limit}'
)


def monitoring(service: Service) -> dict[str, str]:
    """The files by their names below `monitoring/`, but for the dashboard."""
    values = {
        "name": service.name,
        "system": service.system,
        "deployable": service.deployable,
        "owner": service.owner,
        "modules": "|".join(service.hosts),
    }
    slow = "\nor ".join(
        _MEAN.format(name=service.name, names="|".join(names), limit=f"{deadline / 2:g}")
        for deadline, names in _by_deadline(service)
    )
    well, ill = _series(service, ill=False), _series(service, ill=True)
    expected = _expected(service)
    return {
        "alerts.yaml": filled("monitoring/alerts.yaml.txt", {**values, "slow": slow}),
        "alerts_test.yaml": filled(
            "monitoring/alerts_test.yaml.txt",
            {
                **values,
                "well": _input(well),
                "ill": _input(ill),
                "none": "".join(_case(name, []) for name in expected),
                "all": "".join(_case(name, alerts) for name, alerts in expected.items()),
            },
        ),
        "scrape.yaml": filled("monitoring/scrape.yaml.txt", values),
    }


def _by_deadline(service: Service) -> list[tuple[float, list[str]]]:
    found: defaultdict[float, list[str]] = defaultdict(list)
    for operation in service.operations:
        found[operation.timeout].append(operation.name)
    return sorted(found.items())


def _series(service: Service, *, ill: bool) -> Iterable[tuple[str, str]]:
    """Twenty minutes: nothing wrong, or everything that leaves the processes answering."""
    job = f'job="{service.name}"'
    for component in ("web", "worker"):
        yield f'up{{{job}, component="{component}"}}', "1x40"
    yield f'monolift_database_up{{{job}, database="default"}}', "0x40" if ill else "1x40"
    yield f"monolift_topology_epoch{{{job}}}", "1x40"
    yield 'monolift_topology_epoch{job="control"}', "2x40" if ill else "1x40"
    breaker = f'breaker="x in {service.deployable}"'
    yield f'monolift_breaker_open{{job="shop", {breaker}}}', "1x40" if ill else "0x40"
    for operation in service.operations[:1]:
        served = f'{job}, side="served", operation="{operation.name}"'
        yield f"monolift_calls_total{{{served}}}", "0+100x40"
        yield f"monolift_calls_timed_total{{{served}}}", "0+100x40"
        # A refusal that is declared is an answer.
        yield f"monolift_call_errors_total{{{served}}}", "0+90x40"
        yield f"monolift_call_failures_total{{{served}}}", f"0+{50 if ill else 1}x40"
        taken = operation.timeout * (100 if ill else 10)
        yield f"monolift_call_seconds_total{{{served}}}", f"0+{taken:g}x40"
    for label in service.hosts[:1]:
        module = f'{job}, module="{label}"'
        yield f"monolift_delivery_late_seconds{{{module}}}", "120x40" if ill else "1x40"
        yield f"monolift_outbox_late_seconds{{{module}}}", "0x40"
        yield f"monolift_deliveries_failed{{{module}}}", "3x40" if ill else "0x40"
        yield f"monolift_sagas_stuck{{{module}}}", "2x40" if ill else "0x40"


type _Alert = tuple[Mapping[str, str], str]
"""Labels beside those that all have, and the summary."""


def _expected(service: Service) -> dict[str, list[_Alert]]:
    """What is told when everything is wrong."""
    label = {"module": service.hosts[0]}
    breaker = f"x in {service.deployable}"
    found: dict[str, list[_Alert]] = {
        "ServiceDown": [],
        "WorkerDown": [],
        "DatabaseDown": [
            ({"database": "default"}, f"The database default of {service.name} does not answer.")
        ],
        "BreakerOpen": [({"breaker": breaker}, f"Others stopped calling: {breaker}.")],
        "DeliveriesLate": [(label, f"{service.hosts[0]}: an event waits for 2m 0s.")],
        "DeliveriesFailed": [
            (label, f"{service.hosts[0]}: 3 deliveries failed and wait for a person.")
        ],
        "SagasStuck": [(label, f"{service.hosts[0]}: 2 sagas are stuck and wait for a person.")],
        "TopologyBehind": [
            ({"job": service.name}, f"{service.name} follows an older topology than others.")
        ],
    }
    for operation in service.operations[:1]:
        name = {"operation": operation.name}
        found["CallsFail"] = [(name, f"50% of the calls of {operation.name} fail.")]
        found["CallsSlow"] = [
            (
                name,
                (
                    f"{operation.name} takes {_humanized(operation.timeout)} in the mean, "
                    "half of its deadline or more."
                ),
            )
        ]
    for alert, alerts in found.items():
        ticket = alert in ("DeliveriesFailed", "SagasStuck", "TopologyBehind", "CallsSlow")
        common = {
            "severity": "ticket" if ticket else "page",
            "team": service.owner,
            "service": service.name,
        }
        found[alert] = [({**common, **labels}, summary) for labels, summary in alerts]
    return found


def _humanized(seconds: float) -> str:
    """As Prometheus' `humanizeDuration` writes it, up to a minute."""
    return f"{seconds:.4g}s" if seconds >= 1 else f"{seconds * 1000:.4g}ms"


def _input(series: Iterable[tuple[str, str]]) -> str:
    return "".join(f"- {{series: '{name}', values: '{values}'}}\n" for name, values in series)


def _case(name: str, alerts: Iterable[_Alert]) -> str:
    told = "".join(
        f"    - exp_labels: {{{', '.join(f'{key}: "{text}"' for key, text in labels.items())}}}\n"
        "      exp_annotations:\n"
        f'        summary: "{summary}"\n'
        f"        runbook: runbook.md#{name.lower()}\n"
        for labels, summary in alerts
    )
    given = f"  exp_alerts:\n{told}" if told else "  exp_alerts: []\n"
    return f"- eval_time: {_MINUTES_TRIED}m\n  alertname: {name}\n{given}"
