"""The verbs that look into a running system, and the decisions of an operator."""

import json
import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from monolift import atomic, publish
from monolift.testing.scenario import Scenario
from monolift.testing.transports import transported
from tests.library.world.sales.models import Mail
from tests.library.world.sales.sagas import Local
from tests.library.world.stock import faults
from tests.library.world.stock.events import Filled
from tests.library.world.stock.interface import Stock

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def verb(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `monolift ...`; what it prints."""

    def run(*arguments: str) -> str:
        capsys.readouterr()
        call_command("monolift", *arguments)
        return capsys.readouterr().out

    return run


def fail_always(place: str) -> None:
    def act() -> None:
        raise RuntimeError("broken")

    faults.planned[place] = [act] * 99


@pytest.fixture
def stuck(stock: Stock, scenario: Scenario) -> str:
    """The id of a saga that waits for an operator."""
    fail_always("hold_second")
    Local.run(key="first")
    return str(scenario.settle(Local, key="first").id)


@pytest.fixture
def failed(scenario: Scenario, verb: Any) -> str:
    """The id of an event whose delivery has failed, with another one behind it."""
    fail_always("note")
    with atomic(module="stock"):
        publish(Filled(sku="a", quantity=1))
        publish(Filled(sku="a", quantity=2))
    scenario.travel(hours=2)
    for _ in range(20):
        scenario.travel(minutes=2)
    (delivery,) = json.loads(verb("events", "list", "--format", "json"))
    return str(delivery["id"])


def test_sagas_are_listed(verb: Any, stuck: str) -> None:
    text = verb("sagas", "list")
    assert stuck in text
    assert re.search(r"sales\.local .*first .*stuck", text)
    assert stuck in verb("sagas", "list", "--status", "stuck", "--modules", "sales")
    assert verb("sagas", "list", "--status", "done") == "No sagas are done.\n"
    assert verb("sagas", "list", "--modules", "stock") == "No sagas.\n"


def test_a_saga_shows_its_history(verb: Any, stuck: str) -> None:
    text = verb("sagas", "show", stuck)
    assert re.search(r"^status +stuck$", text, flags=re.MULTILINE)
    assert "RuntimeError" in text
    timeline = text.partition("\nhistory\n")[2].splitlines()
    assert len(timeline) >= 2
    for line in timeline:
        assert re.match(r"  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  \+ *\d+\.\d{3} s  ", line)
    document = json.loads(verb("sagas", "show", stuck, "--format", "json"))
    assert document["status"] == "stuck"
    assert len(document["history"]) == len(timeline)
    assert (document["saga"], document["version"]) == ("sales.local", 1)
    assert document["state"]["key"] == "first"


@pytest.mark.parametrize(
    ("decision", "ends"), [("retry", "done"), ("skip", "done"), ("abandon", "abandoned")]
)
def test_an_operator_decides(
    verb: Any, stuck: str, scenario: Scenario, decision: str, ends: str
) -> None:
    if decision == "retry":
        faults.planned.clear()
    assert stuck in verb("sagas", decision, stuck)
    assert scenario.settle(Local, key="first").status == ends
    with pytest.raises(CommandError, match="not stuck") as error:
        verb("sagas", decision, stuck)
    assert error.value.returncode == 1


@pytest.mark.parametrize("decision", ["show", "retry", "skip", "abandon"])
def test_an_unknown_saga_is_named(verb: Any, decision: str) -> None:
    with pytest.raises(CommandError, match=r"no saga 'nobody'.*sagas list"):
        verb("sagas", decision, "nobody")


def test_failed_deliveries_are_listed(verb: Any, failed: str) -> None:
    text = verb("events", "list")
    assert failed in text
    assert "RuntimeError: broken" in text
    assert len(json.loads(verb("events", "list", "--state", "waiting", "--format", "json"))) == 1
    assert verb("events", "list", "--modules", "stock") == "No deliveries are failed.\n"


def test_an_event_shows_its_way(verb: Any, failed: str) -> None:
    text = verb("events", "show", failed)
    assert "stock.filled.v1" in text
    assert re.search(r"^state +failed$", text, flags=re.MULTILINE)
    document = json.loads(verb("events", "show", failed, "--format", "json"))
    assert document["published"]["body"] == {"sku": "a", "quantity": 1}
    assert document["deliveries"][0]["subscriber"] == "sales.note"


@pytest.mark.parametrize(("decision", "mails"), [("resubmit", ["a:1", "a:2"]), ("skip", ["a:2"])])
def test_a_failed_delivery_is_decided_about(
    verb: Any, failed: str, scenario: Scenario, decision: str, mails: list[str]
) -> None:
    faults.planned.clear()
    assert "sales.note" in verb("events", decision, failed)
    scenario.travel(minutes=5)
    assert list(Mail.objects.order_by("pk").values_list("key", flat=True)) == mails
    with pytest.raises(CommandError, match=r"has failed: sales\.note is done"):
        verb("events", decision, failed)


def test_a_decision_may_name_the_subscriber(verb: Any, failed: str) -> None:
    with pytest.raises(CommandError, match=r"no delivery for 'nobody'. It has: .*sales\.note"):
        verb("events", "skip", failed, "--subscriber", "nobody")
    assert "sales.note" in verb("events", "skip", failed, "--subscriber", "sales.note")


@pytest.mark.parametrize("decision", ["show", "resubmit", "skip"])
def test_an_unknown_event_is_named(verb: Any, decision: str) -> None:
    with pytest.raises(CommandError, match=r"no event or task 'nobody'.*events list"):
        verb("events", decision, "nobody")


@pytest.mark.parametrize("listing", ["sagas", "events"])
def test_an_unknown_module_is_named(verb: Any, listing: str) -> None:
    with pytest.raises(CommandError, match=r"no module 'nobody'. Installed: .*sales"):
        verb(listing, "list", "--modules", "nobody")


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_a_limit_is_a_number(verb: Any, limit: str) -> None:
    with pytest.raises((CommandError, SystemExit)):
        verb("sagas", "list", "--limit", limit)


def test_the_topology_names_every_module(verb: Any) -> None:
    with transported("loopback"):
        text = verb("topology", "show")
    assert re.search(r"^stock +team-library +shop +loopback +", text, flags=re.MULTILINE)
    document = json.loads(verb("topology", "show", "--format", "json"))
    assert {"stock", "sales", "cards"} <= {row["module"] for row in document["modules"]}
