"""What this process and its databases have to tell, in the text format of Prometheus (0.0.4).

    path("_monolift/metrics", metrics)

Each process tells what it counted itself: the web process its own calls, the worker its own. What
stands in the databases is told by each, so take the highest, not the sum.
"""

import hmac
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from django.db import Error, transaction
from django.http import HttpRequest, HttpResponse

from monolift.events.lateness import lags
from monolift.events.worker import aliases
from monolift.kernel import clock
from monolift.observe.logs import logger
from monolift.observe.matrix import cells
from monolift.registry.modules import modules
from monolift.registry.places import here
from monolift.registry.settings import developing, setting
from monolift.registry.sql import fetch
from monolift.registry.topology import topology
from monolift.resilience.breaker import breakers

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
KEEP = 15.0
"""Seconds that what was read from the databases is told again: scrapes cost no more than that."""

log = logger("monolift.metrics")


class Metric(NamedTuple):
    """One metric: its name, its type, what it means, and what reads it."""

    name: str
    kind: str
    about: str
    read: Callable[[], Iterable[tuple[Mapping[str, str], float]]]


@transaction.non_atomic_requests
def metrics(request: HttpRequest) -> HttpResponse:
    """All of it: 200; 401 without the token; 404 where there is none to show."""
    status, body = answer(authorization=request.headers.get("Authorization", ""))
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return HttpResponse(body, status=status, content_type=CONTENT_TYPE, headers=headers)


def answer(*, authorization: str) -> tuple[int, str]:
    """The status and the body for who shows that `Authorization` header."""
    token = setting("METRICS_TOKEN")
    if not token:
        return (200, exposition()) if developing() else (404, "")
    shown = authorization.partition("Bearer ")[2].strip()
    if not hmac.compare_digest(shown.encode(), str(token).encode()):
        return 401, ""
    return 200, exposition()


def exposition() -> str:
    """Every metric. A database that does not answer leaves its own out, and is told of."""
    lines = []
    for metric in METRICS:
        lines += [f"# HELP {metric.name} {metric.about}", f"# TYPE {metric.name} {metric.kind}"]
        for labels, value in metric.read():
            shown = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
            lines.append(f"{metric.name}{f'{{{shown}}}' if shown else ''} {value:.12g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _of_cells(
    value: Callable[[Any], float],
) -> Callable[[], Iterable[tuple[dict[str, str], float]]]:
    def read() -> Iterable[tuple[dict[str, str], float]]:
        for served, caller, operation, cell in cells():
            side = "served" if served else "made"
            yield {"side": side, "caller": caller, "operation": operation}, value(cell)

    return read


def _of_modules(value: str) -> Callable[[], Iterable[tuple[dict[str, str], float]]]:
    def read() -> Iterable[tuple[dict[str, str], float]]:
        for label, found in _stored().modules.items():
            yield {"module": label}, found[value]

    return read


class _Stored(NamedTuple):
    read_at: float
    answering: Mapping[str, bool]
    """By alias."""
    modules: Mapping[str, Mapping[str, float]]
    """By label, for the modules whose databases answer."""


_lock = threading.Lock()
_kept: _Stored | None = None


def _stored() -> _Stored:
    global _kept
    with _lock:
        if _kept is None or clock.monotonic() - _kept.read_at >= KEEP:
            _kept = _read()
        return _kept


def forget() -> None:
    """Read the databases anew at the next scrape. For tests."""
    global _kept
    with _lock:
        _kept = None


def _read() -> _Stored:
    answering: dict[str, bool] = {}
    found: dict[str, dict[str, float]] = {}
    known = topology()
    for alias in aliases():
        hosted = [name for name in modules() if known.hosts(name) and known.alias(name) == alias]
        try:
            told = _of_database(alias, hosted)
        except Error as error:
            log.warning("metrics of a database are missing", alias=alias, exc_info=error)
            answering[alias] = False
        else:
            answering[alias] = True
            found |= told
    return _Stored(clock.monotonic(), answering, dict(sorted(found.items())))


def _of_database(alias: str, hosted: list[str]) -> dict[str, dict[str, float]]:
    nothing = dict.fromkeys(
        ("due", "late", "waiting", "failed", "unrelayed", "unheard", "stuck"), 0.0
    )
    found = {label: dict(nothing) for label in hosted}
    now = clock.now()
    for lag in lags(alias):
        if lag.module not in found:
            continue  # left behind by a module that moved away
        found[lag.module] |= {
            "due": lag.due,
            "late": (now - lag.since).total_seconds() if lag.since else 0.0,
            "waiting": lag.waiting,
            "failed": lag.failed,
            "unrelayed": lag.unrelayed,
            "unheard": (now - lag.announced).total_seconds() if lag.announced else 0.0,
        }
    stuck = "SELECT module, COUNT(*) FROM monolift_saga WHERE status = 'stuck' GROUP BY module"
    for label, count in fetch(alias, stuck):
        if label in found:
            found[label]["stuck"] = count
    return found


def _hosted() -> Iterable[tuple[dict[str, str], float]]:
    known = topology()
    for label in sorted(modules()):
        yield {"module": label, "deployable": known.place(label).deployable}, known.hosts(label)


METRICS = (
    Metric(
        "monolift_calls_total",
        "counter",
        "Calls between modules that this process made, or served to other deployables.",
        _of_cells(lambda cell: cell.calls),
    ),
    Metric(
        "monolift_call_errors_total",
        "counter",
        "Of those calls, the ones that ended in an error, declared refusals among them.",
        _of_cells(lambda cell: cell.errors),
    ),
    Metric(
        "monolift_call_failures_total",
        "counter",
        "Of those errors, no answer or an undeclared failure; between deployables only.",
        _of_cells(lambda cell: cell.unavailable + cell.failed),
    ),
    Metric(
        "monolift_call_seconds_total",
        "counter",
        "Seconds that the timed calls took; local calls are timed one in sixteen.",
        _of_cells(lambda cell: cell.seconds),
    ),
    Metric(
        "monolift_calls_timed_total",
        "counter",
        "Calls that were timed.",
        _of_cells(lambda cell: cell.timed),
    ),
    Metric(
        "monolift_breaker_open",
        "gauge",
        "1 while a circuit breaker lets no call through, or only a trial.",
        lambda: (({"breaker": name}, state != "closed") for name, state in breakers().items()),
    ),
    Metric(
        "monolift_deliveries_due",
        "gauge",
        "Events and tasks that a worker could run now.",
        _of_modules("due"),
    ),
    Metric(
        "monolift_delivery_late_seconds",
        "gauge",
        "For how long the delivery that waits longest could have been run.",
        _of_modules("late"),
    ),
    Metric(
        "monolift_deliveries_waiting",
        "gauge",
        "Deliveries behind another one of their lane.",
        _of_modules("waiting"),
    ),
    Metric(
        "monolift_deliveries_failed",
        "gauge",
        "Deliveries that rest as failed until a person decides.",
        _of_modules("failed"),
    ),
    Metric(
        "monolift_outbox_unrelayed",
        "gauge",
        "Events that no relay took yet.",
        _of_modules("unrelayed"),
    ),
    Metric(
        "monolift_outbox_late_seconds",
        "gauge",
        "For how long the oldest of those waits.",
        _of_modules("unheard"),
    ),
    Metric(
        "monolift_sagas_stuck",
        "gauge",
        "Sagas that wait for a person.",
        _of_modules("stuck"),
    ),
    Metric(
        "monolift_database_up",
        "gauge",
        "1 when the database answered the last time it was asked for these metrics.",
        lambda: (({"database": alias}, up) for alias, up in _stored().answering.items()),
    ),
    Metric(
        "monolift_module_hosted",
        "gauge",
        "1 for the modules that this deployable answers for.",
        _hosted,
    ),
    Metric(
        "monolift_topology_epoch",
        "gauge",
        "The epoch of the topology that this process follows.",
        lambda: [({"deployable": here()}, topology().epoch)],
    ),
)
"""Every metric there is: alerts and dashboards name no other."""
