"""The alarm for workers and relays that stand still."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command

from monolift import atomic, publish
from monolift.events import lateness, worker
from monolift.kernel import clock
from monolift.registry.settings import setting
from monolift.testing.scenario import Scenario
from tests.library.relaying import relay_all
from tests.library.world.stock.events import Filled

pytestmark = pytest.mark.django_db(databases="__all__")


def fill(*quantities: int) -> None:
    for quantity in quantities:
        with atomic(module="stock"):
            publish(Filled(sku="a", quantity=quantity))


def late() -> dict[str, Any]:
    return {lag.module: lag for alias in worker.aliases() for lag in lateness.tell(alias)}


def wait(seconds: float) -> None:
    clock.travel(timedelta(seconds=seconds))


def test_nothing_is_late_in_time(scenario: Scenario) -> None:
    fill(1)
    assert late() == {}
    wait(setting("LATE") - 1)
    assert late() == {}


def test_a_relay_that_stands_still_is_told(
    scenario: Scenario, caplog: pytest.LogCaptureFixture
) -> None:
    fill(1, 2)
    wait(setting("LATE") + 1)
    assert late()["stock"].unrelayed == 2
    (record,) = [one for one in caplog.records if one.levelname == "ERROR"]
    told: Any = record.msg
    assert told["event"] == "deliveries are late"
    assert (told["late_module"], told["late_owner"]) == ("stock", "team-library")


def test_a_worker_that_stands_still_is_told(scenario: Scenario) -> None:
    fill(1, 2, 3)
    relay_all()
    wait(setting("LATE") + 1)
    lag = late()["sales"]
    assert (lag.due, lag.waiting, lag.failed) == (1, 2, 0)
    assert lag.since is not None


def test_the_verb_tells_what_is_before_each_module(
    scenario: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("monolift", "events", "lag")
    assert capsys.readouterr().out == "Everything is done.\n"
    fill(1, 2)
    relay_all()
    call_command("monolift", "events", "lag", "--format", "json")
    told = {lag["module"]: lag for lag in json.loads(capsys.readouterr().out)}
    assert (told["sales"]["due"], told["sales"]["waiting"]) == (1, 1)
    assert told["sales"]["owner"] == "team-library"
    assert not told["sales"]["late"]
    wait(setting("LATE") + 1)
    with pytest.raises(SystemExit) as ended:
        call_command("monolift", "events", "lag")
    assert ended.value.code == 1
    assert "late" in capsys.readouterr().out
