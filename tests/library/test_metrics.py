"""The metrics: what they say is what is so, and only who may read them does."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from monolift import atomic, publish, use
from monolift.db.models import SagaRow
from monolift.events import worker
from monolift.gateway import metrics
from monolift.gateway.status import Status
from monolift.kernel import clock
from monolift.resilience.breaker import LEAST, Breaker
from monolift.supervise.preflight import any_free_port
from monolift.testing.scenario import Scenario
from tests.library.running import ROOT, environment, eventually, get
from tests.library.world.stock.events import Filled
from tests.library.world.stock.interface import SoldOut, Stock

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")


def told(text: str) -> dict[str, float]:
    """Each line's value, by name and labels as they stand there."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    found = {}
    for line in lines:
        match = SAMPLE.match(line)
        assert match, line
        found[f"{match[1]}{{{match[2] or ''}}}"] = float(match[3])
    return found


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    metrics.forget()
    yield
    metrics.forget()


@pytest.mark.django_db(databases="__all__")
def test_calls_and_their_errors_are_counted(scenario: Scenario) -> None:
    stock = use(Stock)
    stock.fill(sku="a", quantity=1)
    with pytest.raises(SoldOut):
        stock.hold(sku="a", quantity=1000)
    found = told(metrics.exposition())
    labels = 'side="made",caller="-",operation="stock.{}"'
    assert found[f"monolift_calls_total{{{labels.format('fill')}}}"] == 1
    assert found[f"monolift_call_errors_total{{{labels.format('fill')}}}"] == 0
    assert found[f"monolift_call_errors_total{{{labels.format('hold')}}}"] == 1
    assert found[f"monolift_call_failures_total{{{labels.format('hold')}}}"] == 0


@pytest.mark.django_db(databases="__all__")
def test_what_waits_is_told_by_module(scenario: Scenario) -> None:
    with atomic(module="stock"):
        publish(Filled(sku="a", quantity=1))
    clock.travel(timedelta(seconds=90))
    found = told(metrics.exposition())
    assert found['monolift_outbox_unrelayed{module="stock"}'] == 1
    assert found['monolift_outbox_late_seconds{module="stock"}'] >= 90
    assert found['monolift_outbox_unrelayed{module="sales"}'] == 0
    scenario.run_until_idle()
    metrics.forget()
    assert told(metrics.exposition())['monolift_outbox_unrelayed{module="stock"}'] == 0


@pytest.mark.django_db(databases="__all__")
def test_stuck_sagas_are_told(scenario: Scenario) -> None:
    assert told(metrics.exposition())['monolift_sagas_stuck{module="sales"}'] == 0
    now = clock.now()
    SagaRow.objects.using(worker.aliases()[-1] if len(worker.aliases()) == 1 else "sales").create(
        module="sales",
        id="1",
        name="sales.sale",
        version=1,
        key="k",
        status="stuck",
        state="{}",
        progress="{}",
        due_at=now,
        created_at=now,
        updated_at=now,
    )
    metrics.forget()
    assert told(metrics.exposition())['monolift_sagas_stuck{module="sales"}'] == 1


@pytest.mark.django_db(databases="__all__")
def test_an_open_breaker_is_told() -> None:
    breaker = Breaker(name="stock.stock.v1 in nowhere", open_for=1000)
    line = 'monolift_breaker_open{breaker="stock.stock.v1 in nowhere"}'
    assert told(metrics.exposition())[line] == 0
    for _ in range(LEAST):
        breaker.failed()
    assert told(metrics.exposition())[line] == 1


@pytest.mark.django_db(databases="__all__")
def test_labels_are_escaped() -> None:
    breaker = Breaker(name='a "quoted" \\ name\nof two lines')
    assert r'breaker="a \"quoted\" \\ name\nof two lines"} 0' in metrics.exposition()
    assert breaker.state == "closed"


@pytest.mark.django_db(databases="__all__")
def test_prometheus_can_read_it(tmp_path: Path, scenario: Scenario) -> None:
    use(Stock).fill(sku="a", quantity=1)
    checked = subprocess.run(
        [promtool(), "check", "metrics"],
        input=metrics.exposition(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def promtool() -> str:
    """The program, or a skip."""
    import shutil

    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    return found


@pytest.mark.django_db(databases="__all__")
def test_the_page_needs_the_token(client: Client, settings: Settings) -> None:
    page = "/_monolift/metrics"
    settings.MONOLIFT = {**settings.MONOLIFT, "METRICS_TOKEN": "s3cret"}
    refused = client.get(page)
    assert (refused.status_code, refused["WWW-Authenticate"], refused.content) == (
        401,
        "Bearer",
        b"",
    )
    assert client.get(page, headers={"Authorization": "Bearer s3cre"}).status_code == 401
    given = client.get(page, headers={"Authorization": "Bearer s3cret"})
    assert given.status_code == 200
    assert given["Content-Type"] == metrics.CONTENT_TYPE
    assert b"monolift_module_hosted" in given.content


@pytest.mark.django_db(databases="__all__")
def test_without_a_token_production_shows_nothing(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/_monolift/metrics").status_code == 200  # in tests, as with DEBUG
    monkeypatch.setattr(metrics, "developing", lambda: False)
    refused = client.get("/_monolift/metrics")
    assert (refused.status_code, refused.content) == (404, b"")


@pytest.mark.django_db(databases="__all__")
def test_a_silent_database_leaves_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def refuse(alias: str) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(metrics, "lags", refuse)
    found = told(metrics.exposition())
    assert set(worker.aliases()) == {
        name.partition('"')[2].partition('"')[0]
        for name, value in found.items()
        if name.startswith("monolift_database_up") and value == 0
    }
    assert not any(name.startswith("monolift_sagas_stuck") for name in found)
    assert any(name.startswith("monolift_topology_epoch") for name in found)


def test_a_worker_tells_how_it_is(tmp_path: Path) -> None:
    port = any_free_port()
    env = environment(MONOLIFT_DATA=str(tmp_path), MONOLIFT_METRICS_TOKEN="t" * 20)
    manage = [sys.executable, "manage.py", "monolift"]
    subprocess.run([*manage, "prepare"], cwd=ROOT, env=env, check=True, capture_output=True)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*manage, "worker", "--status-port", str(port)],
            cwd=ROOT,
            env=env,
            stdout=log,
            stderr=log,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: get(f"{url}/healthz") == (200, b"ok\n"))
        assert get(f"{url}/metrics")[0] == 401
        assert get(f"{url}/else")[0] == 404
        second = subprocess.run(
            [*manage, "worker", "--status-port", str(port)],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 1
        assert "Choose another --status-port." in second.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


def test_a_worker_that_stands_still_is_not_well() -> None:
    """An orchestrator starts it again."""
    status = Status(host="127.0.0.1", port=0, healthy=lambda: False)
    status.start()
    try:
        assert get(f"http://127.0.0.1:{status.port}/healthz") == (503, b"not working\n")
    finally:
        status.stop()
