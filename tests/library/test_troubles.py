"""A database that is full, gone or in the way: run again as a whole, and no attempt is used up."""

import contextlib
import os
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from django.db import DatabaseError, connections
from pytest_django import Settings

from monolift import SagaStatus, atomic, publish, use
from monolift.events import handling
from monolift.events.deliveries import Claimed
from monolift.kernel import Unavailable
from monolift.registry.settings import setting
from monolift.registry.sql import fetch
from monolift.registry.topology import topology
from monolift.registry.troubles import in_the_way, out_of_order
from monolift.sagas import runtime
from monolift.sagas.record import Record
from monolift.testing.scenario import Scenario
from tests.library import failing
from tests.library.relaying import relay_all
from tests.library.world.sales.models import Mail, Sale
from tests.library.world.sales.sagas import Local, Selling
from tests.library.world.stock import faults
from tests.library.world.stock.events import Filled
from tests.library.world.stock.interface import Level, Stock
from tests.library.world.stock.models import Item

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

STATES = ["40001", "40P01"]
# Where every module has a database of its own, that of a callee is another's: its call counts.
OF_A_CALL = ["stock.hold.inside"] if os.environ.get("MONOLIFT_DATABASES") != "each" else []


@pytest.fixture(params=[True, False], ids=["fused", "unfused"])
def stock(request: pytest.FixtureRequest, settings: Settings) -> Stock:
    settings.MONOLIFT = {**settings.MONOLIFT, "FUSION": request.param}
    for sku in ("a", "b"):
        use(Stock).fill(sku=sku, quantity=10)
    Scenario().run_until_idle()
    Mail.objects.all().delete()
    return use(Stock)


def fill(sku: str) -> None:
    with atomic(module="stock"):
        publish(Filled(sku=sku, quantity=1))


def mails() -> list[str]:
    return list(Mail.objects.values_list("key", flat=True))


def deliveries() -> list[tuple[str, int, str]]:
    rows = fetch(
        topology().alias("sales"), "SELECT state, attempts, failure FROM monolift_delivery"
    )
    return [(state, attempts, failure) for state, attempts, failure in rows]


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (failing.in_the_way, in_the_way),
        (partial(failing.in_the_way, state="40P01"), in_the_way),
        (failing.no_room, out_of_order),
        (failing.break_down, out_of_order),
    ],
    ids=["serialisation failure", "deadlock", "no room", "breakdown"],
)
def test_each_trouble_is_known_by_its_code(
    trouble: Callable[[], None], kind: Callable[[BaseException], bool]
) -> None:
    with pytest.raises(DatabaseError) as caught, atomic(module="sales"):
        Mail.objects.create(about="before", key="1")
        trouble()
    failing.mend()
    assert [one(caught.value) for one in (in_the_way, out_of_order)] == [
        kind is in_the_way,
        kind is out_of_order,
    ]
    assert mails() == []


def test_a_mistake_is_no_trouble() -> None:
    with pytest.raises(DatabaseError) as caught, atomic(module="sales"):
        fetch(topology().alias("sales"), "SELECT nothing FROM nowhere")
    assert not in_the_way(caught.value)
    assert not out_of_order(caught.value)


@pytest.mark.parametrize("state", STATES)
def test_a_handler_that_is_in_the_way_runs_again_as_a_whole(state: str, scenario: Scenario) -> None:
    faults.planned["note"] = [partial(failing.in_the_way, state=state)] * 3
    fill("a")
    for _ in range(5):
        scenario.travel(minutes=1)
    assert faults.planned["note"] == []
    assert mails() == ["a:1"]


def test_a_full_disk_uses_up_no_attempt_of_an_event(scenario: Scenario, settings: Settings) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "BACKOFF": 30.0}
    times = 3 * setting("ATTEMPTS")
    faults.planned["note"] = [failing.no_room] * times
    fill("a")
    for _ in range(times):
        scenario.travel(minutes=2)
    ((state, attempts, failure),) = deliveries()
    assert (state, attempts) == ("pending", 0)
    assert "OperationalError" in failure
    scenario.travel(minutes=2)
    assert mails() == ["a:1"]


def test_what_could_not_be_recorded_is_given_back_before_its_lease_ends(scenario: Scenario) -> None:
    fill("a")
    relay_all()
    faults.planned["note"] = [failing.break_down]
    with contextlib.suppress(DatabaseError):
        handling.run_due(topology().alias("sales"), modules=["sales"])
    failing.mend()
    scenario.travel(seconds=7)
    assert mails() == ["a:1"]
    assert deliveries() == [("done", 1, "")], "it counts as one attempt"


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    "place", ["hold_first", "stock.hold.inside", "write_down.after", "decide", "close.after"]
)
def test_a_saga_that_is_in_the_way_runs_again_as_a_whole(
    stock: Stock, scenario: Scenario, place: str, state: str
) -> None:
    module = "stock" if place.startswith("stock") else "sales"
    faults.planned[place] = [partial(failing.in_the_way, module, state=state)] * 2
    Local.run(key="1", timeout=5)
    scenario.travel(minutes=1)
    run = Local.find(key="1")
    assert run is not None
    assert run.status is SagaStatus.DONE, run.failure
    assert faults.planned[place] == []
    assert stock.levels(skus=["a", "b"]) == {
        "a": Level(left=9, held=1),
        "b": Level(left=8, held=2),
    }
    assert list(Sale.objects.values_list("state", flat=True)) == ["closed"]
    assert Mail.objects.filter(about="sold").count() == 1


@pytest.mark.parametrize("place", [*OF_A_CALL, "write_down", "close"])
def test_a_breakdown_uses_up_no_attempt_of_a_saga(
    stock: Stock, scenario: Scenario, place: str
) -> None:
    times = 2 * Selling.saga_attempts
    faults.planned[place] = [failing.break_down] * times
    Selling.start(key="1")
    for _ in range(3 * times):
        with contextlib.suppress(DatabaseError):
            scenario.travel(seconds=7)
        failing.mend()
    assert faults.planned[place] == []
    run = Selling.find(key="1")
    assert run is not None
    assert run.status is SagaStatus.DONE, run.failure
    assert "crashed" not in {entry.what for entry in run.history}, "no worker died"
    assert Item.objects.get(sku="a").left == 9


def test_sagas_that_could_not_be_given_back_in_time_have_not_crashed(
    stock: Stock, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes, in turn, on a disk that lets them claim and nothing else."""
    times = 3 * Selling.saga_attempts
    faults.planned["write_down"] = [failing.break_down] * times
    Selling.start(key="1")
    owed_by: list[list[Record]] = [[], []]
    for number in range(3 * times):
        monkeypatch.setattr(runtime, "_owed", owed_by[number % 2])
        with contextlib.suppress(DatabaseError):
            scenario.travel(seconds=setting("LEASE") + 1)
        failing.mend()
    assert faults.planned["write_down"] == []
    run = Selling.find(key="1")
    assert run is not None
    assert run.status is SagaStatus.DONE, run.failure
    if connections[topology().alias("sales")].vendor == "sqlite":  # another session can do it
        assert "crashed" in {entry.what for entry in run.history}, "no lease ended"
    assert owed_by == [[], []]


def test_events_that_could_not_be_given_back_in_time_have_no_attempt(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes, in turn, on a disk that lets them claim and nothing else."""
    fill("a")
    relay_all()
    times = 2 * setting("ATTEMPTS")
    faults.planned["note"] = [failing.break_down] * times
    owed_by: list[list[tuple[str, Sequence[Claimed]]]] = [[], []]
    for number in range(2 * times):
        monkeypatch.setattr(handling, "_owed", owed_by[number % 2])
        with contextlib.suppress(DatabaseError):
            scenario.travel(seconds=setting("LEASE") + 1)
        failing.mend()
    assert faults.planned["note"] == []
    assert mails() == ["a:1"]
    assert owed_by == [[], []]


if OF_A_CALL:

    @pytest.mark.parametrize("place", [name.replace("hold", "give_back") for name in OF_A_CALL])
    def test_a_breakdown_uses_up_no_attempt_of_turning_back(
        stock: Stock, scenario: Scenario, place: str
    ) -> None:
        times = 3 * Selling.saga_attempts
        faults.planned[place] = [failing.break_down] * times
        faults.planned["hold_second"] = [_bug] * (Selling.saga_attempts + 1)
        Selling.start(key="1")
        for _ in range(3 * times):
            with contextlib.suppress(DatabaseError):
                scenario.travel(minutes=1)
            failing.mend()
        assert faults.planned[place] == []
        run = Selling.find(key="1")
        assert run is not None
        assert run.status is SagaStatus.UNDONE, run.failure
        assert stock.levels(skus=["a"]) == {"a": Level(left=10, held=0)}


def _bug() -> None:
    raise RuntimeError("a bug")


def test_a_client_that_goes_on_with_a_saga_hears_of_its_database(stock: Stock) -> None:
    Local.start(key="1")
    faults.planned["write_down"] = [failing.break_down]
    with pytest.raises(Unavailable, match="its database"):
        Local.run(key="1", timeout=5)
    failing.mend()
