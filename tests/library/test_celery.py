"""Celery as executor: hints on a real Redis, the table as the truth."""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from monolift import atomic, publish
from monolift.events import celery, deliveries, executors
from monolift.events.worker import aliases, work_once
from monolift.registry.topology import topology
from monolift.supervise.servers import Redis
from monolift.testing.scenario import Scenario
from tests.library.relaying import claim, relay_all
from tests.library.running import eventually
from tests.library.world.sales.models import Mail
from tests.library.world.stock import faults
from tests.library.world.stock.events import Filled

pytestmark = [
    pytest.mark.redis,
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed"),
]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """A Redis server of this test's own."""
    server = Redis(tmp_path)
    server.prepare()
    with subprocess.Popen(server.recipe().command, stdout=subprocess.DEVNULL) as process:
        try:
            eventually(server.ready, what="Redis answers")
            yield server
        finally:
            process.terminate()


@pytest.fixture
def app(redis: Redis) -> Iterator[Celery]:
    """A connected Celery application."""
    made = Celery("tests", broker=redis.url, set_as_current=False)
    celery.connect(made)
    yield made
    made.close()


@pytest.fixture
def handing_out(app: Celery, monkeypatch: pytest.MonkeyPatch) -> celery.HandOut:
    """The worker of this process hands deliveries out instead of running them."""
    hand_out = celery.HandOut(app)
    monkeypatch.setattr("monolift.events.worker.executor", lambda: hand_out)
    return hand_out


def hints(app: Celery, queue: str) -> list[Any]:
    """The messages that wait in a queue; they stay there."""
    with app.connection_for_read() as connection:
        client = connection.default_channel.client
        return [json.loads(message) for message in client.lrange(queue, 0, -1)]


def fill(*quantities: int, sku: str = "a") -> None:
    for quantity in quantities:
        with atomic(module="stock"):
            publish(Filled(sku=sku, quantity=quantity))


def look() -> None:
    """The worker looks at the tables until there is nothing left for it to do."""
    while [alias for alias in aliases() if work_once(alias)]:
        pass


def mails() -> list[str]:
    return list(Mail.objects.order_by("pk").values_list("key", flat=True))


def test_a_hint_says_only_whose_work_it_is(app: Celery, handing_out: celery.HandOut) -> None:
    fill(1)
    look()
    assert mails() == []
    (message,) = hints(app, "sales")
    headers = message["headers"]
    assert headers["task"] == "monolift.work"
    assert message["content-type"] == "application/json"
    args, kwargs, _ = json.loads(base64.b64decode(message["body"]))
    assert (args, kwargs) == ([], {"module": "sales"})
    assert hints(app, "stock") == []


def test_one_hint_is_enough_for_all_that_is_due(app: Celery) -> None:
    fill(1, 2, 3)
    relay_all()
    celery.run_lanes(app, module="sales")
    assert mails() == ["a:1", "a:2", "a:3"]


def test_a_hint_that_comes_twice_does_nothing(app: Celery) -> None:
    fill(1)
    relay_all()
    celery.run_lanes(app, module="sales")
    celery.run_lanes(app, module="sales")
    celery.run_lanes(app, module="stock")
    assert mails() == ["a:1"]


def test_a_lost_hint_is_sent_again(app: Celery, handing_out: celery.HandOut) -> None:
    fill(1)
    look()
    with app.connection_for_write() as connection:
        connection.default_channel.client.flushall()
    assert hints(app, "sales") == []
    look()
    assert len(hints(app, "sales")) == 1


def test_hints_do_not_pile_up_while_nobody_takes_them(
    app: Celery, handing_out: celery.HandOut
) -> None:
    for quantity in range(5):
        fill(quantity)
        look()
    assert len(hints(app, "sales")) == 1


def test_a_lane_that_waits_for_an_operator_needs_no_hint(
    app: Celery, handing_out: celery.HandOut, scenario: Scenario, settings: Settings
) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "ATTEMPTS": 1}

    def fail() -> None:
        raise RuntimeError("broken")

    faults.planned["note"] = [fail]
    fill(1, 2)
    relay_all()
    celery.run_lanes(app, module="sales")
    look()
    assert mails() == []
    assert hints(app, "sales") == []


def test_a_turn_ends_and_asks_for_another(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(celery, "TURN", 0.0)
    fill(1, 2)
    relay_all()
    celery.run_lanes(app, module="sales")
    assert mails() == ["a:1"]
    assert len(hints(app, "sales")) == 1


def test_a_broker_that_is_away_stops_nothing(
    redis: Redis, app: Celery, handing_out: celery.HandOut
) -> None:
    fill(1)
    with app.connection_for_write() as connection:
        connection.default_channel.client.shutdown(nosave=True)
    look()
    look()
    assert not redis.ready()
    with subprocess.Popen(redis.recipe().command, stdout=subprocess.DEVNULL) as again:
        try:
            eventually(redis.ready, what="Redis is back")
            look()
            assert len(hints(app, "sales")) == 1
        finally:
            again.terminate()


def test_waiting_modules_are_those_with_due_work() -> None:
    fill(1)
    relay_all()
    alias = topology().alias("sales")
    assert deliveries.waiting_modules(alias, ["sales", "stock", "cards"]) == ["sales"]
    claim()
    assert deliveries.waiting_modules(alias, ["sales"]) == []


@pytest.fixture
def fresh_executor() -> Iterator[None]:
    """Let this test choose the executor anew."""
    executors.executor.cache_clear()
    yield
    executors.executor.cache_clear()


@pytest.mark.usefixtures("fresh_executor")
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"EXECUTOR": "goblins"}, "'goblins': choose from threads, celery"),
        ({"EXECUTOR": "celery", "CELERY_APP": None}, "names no application"),
        ({"EXECUTOR": "celery", "CELERY_APP": "tests.library.test_celery.BARE"}, "connect"),
        ({"EXECUTOR": "celery", "CELERY_APP": "tests.library.test_celery.NOWHERE"}, "no broker"),
    ],
    ids=["unknown", "no application", "not connected", "no broker"],
)
def test_a_wrong_setting_is_named(settings: Settings, changes: dict[str, Any], told: str) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, **changes}
    with pytest.raises(ImproperlyConfigured, match=told):
        executors.executor()


BARE = Celery("bare", broker="redis://127.0.0.1:1/0", set_as_current=False)
NOWHERE = Celery("nowhere", set_as_current=False)
NOWHERE.conf.broker_url = ""
celery.connect(NOWHERE)
