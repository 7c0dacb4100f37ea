"""Events, handlers, tasks and sagas while modules move: nothing lost, doubled or overtaken."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DatabaseError
from pytest_django import DjangoDbBlocker, Settings

from monolift import atomic, publish
from monolift.events import (
    deliveries,
    handling,
    handover,
    lanes,
    lateness,
    owed,
    relay,
    upkeep,
    worker,
)
from monolift.events.deliveries import Announced
from monolift.events.streams import arrive
from monolift.events.streams.port import Misplaced
from monolift.events.subscriptions import Subscription, add, remove
from monolift.kernel import SagaStatus, Unavailable, clock
from monolift.registry import topology as registry
from monolift.registry.places import placed
from monolift.registry.sql import execute, fetch
from monolift.registry.topology import install, topology
from monolift.sagas import runtime
from monolift.testing.scenario import Scenario
from tests.library.moving import ATTIC, Move, moving, second_database
from tests.library.relaying import claim, moved, relay_all
from tests.library.running import eventually
from tests.library.streams.rigs import filled
from tests.library.world.cards.services import network
from tests.library.world.sales.events import Sold
from tests.library.world.sales.models import Mail, Sale
from tests.library.world.sales.sagas import Selling
from tests.library.world.sales.tasks import remind
from tests.library.world.stock import faults
from tests.library.world.stock.events import Counted, Filled
from tests.library.world.stock.interface import Stock

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.fixture(scope="module", autouse=True)
def database(
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """A second database for a module to go to."""
    with django_db_blocker.unblock(), second_database(tmp_path_factory.mktemp("attic")):
        yield


@pytest.fixture
def attic(monkeypatch: pytest.MonkeyPatch) -> Iterator[Move]:
    with moving(monkeypatch) as move:
        yield move


@pytest.fixture(autouse=True)
def topology_ends() -> Iterator[None]:
    yield
    registry.reset()


def mails() -> list[str]:
    return list(Mail.objects.order_by("pk").values_list("key", flat=True))


def fill(sku: str, *quantities: int) -> None:
    for quantity in quantities:
        with atomic(module="stock"):
            publish(Filled(sku=sku, quantity=quantity))


def home() -> None:
    """Sales runs here again."""
    known = topology()
    places = {**known.places, "sales": placed(deployable="shop", alias=ALIAS)}
    install(replace(known, epoch=known.epoch + 1, places=places))


ALIAS = "default"


@pytest.fixture(autouse=True)
def alias_of_sales() -> None:
    global ALIAS
    ALIAS = topology().alias("sales")


def stock_alias() -> str:
    return topology().alias("stock")


def away() -> list[tuple[str, str]]:
    """What is to be handed over, with its state."""
    return fetch(
        stock_alias(),
        "SELECT subscriber, state FROM monolift_delivery WHERE target <> '' ORDER BY number",
    )


def work(times: int = 6) -> None:
    """What a worker's thread does, some turns of it."""
    for _ in range(times):
        for alias in worker.aliases():
            worker.work_once(alias)


class Deployables:
    """Other deployables, and what each has taken: key and quantity, with whom it is for."""

    def __init__(self) -> None:
        self.reachable: set[str] = set()
        self.came: list[tuple[str, str, tuple[str, ...]]] = []

    def send(self, deployable: str, events: Sequence[Announced]) -> None:
        if deployable not in self.reachable:
            raise Unavailable(deployable, "nobody answers")
        self.came += [(deployable, event.body, event.to) for event in events]


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> Deployables:
    there = Deployables()
    monkeypatch.setattr(handover, "send", there.send)
    return there


def body(sku: str, quantity: int) -> str:
    return f'{{"sku":"{sku}","quantity":{quantity}}}'


# Whom, not where ------------------------------------------------------------------------------


def test_what_waited_for_one_place_goes_to_the_next(
    others: Deployables, scenario: Scenario
) -> None:
    install(moved("sales", "mars"))
    fill("a", 1, 2)
    work()
    assert away() == [("sales", "pending"), ("sales", "waiting")]
    install(moved("sales", "venus"))
    others.reachable.add("venus")
    scenario.travel(minutes=5)
    scenario.travel(minutes=5)
    assert others.came == [("venus", body("a", quantity), ("sales",)) for quantity in (1, 2)]


def test_what_waited_for_a_module_that_comes_home_is_kept_here_in_order(
    others: Deployables, scenario: Scenario
) -> None:
    """Also what is announced when it is home already: it takes the same way until that is free."""
    install(moved("sales", "mars"))
    fill("a", 1, 2)
    work()
    home()
    fill("a", 3)
    fill("b", 4)
    relay.relay(stock_alias())
    # On a database of its own, what is for it is always handed over, also a key of its own.
    apart = stock_alias() != topology().alias("sales")
    waiting = [("sales", "pending"), ("sales", "waiting"), ("sales", "waiting")]
    assert away() == [*waiting, *([("sales", "pending")] if apart else [])]
    scenario.travel(minutes=5)
    scenario.travel(minutes=5)
    assert [mail for mail in mails() if mail.startswith("a")] == ["a:1", "a:2", "a:3"]
    assert "b:4" in mails()
    fill("a", 5)
    relay.relay(stock_alias())
    assert len(away()) == (5 if apart else 3), "and then directly again"


def test_a_worker_finds_by_itself_what_is_left_for_who_came_home(
    others: Deployables, scenario: Scenario
) -> None:
    install(moved("sales", "mars"))
    fill("a", 1)
    work()
    home()
    clock.travel(timedelta(minutes=5))
    work()
    assert mails() == ["a:1"]


def test_an_event_goes_once_to_a_deployable_for_all_its_modules(
    others: Deployables, scenario: Scenario
) -> None:
    second = Subscription(
        event=Filled,
        handler=lambda event: None,
        python_module="tests.library.world.cards.handlers",
        name="count",
    )
    add(second)
    try:
        install(moved("sales", "mars"))
        install(moved("cards", "mars"))
        others.reachable.add("mars")
        fill("a", 1)
        work()
    finally:
        remove(second)
    assert others.came == [("mars", body("a", 1), ("cards", "sales"))]
    assert {state for _, state in away()} == {"done"}


@pytest.mark.parametrize("target", ["mars", "@elsewhere"])
def test_what_an_older_release_addressed_arrives(
    others: Deployables, scenario: Scenario, target: str
) -> None:
    install(moved("sales", "mars"))
    fill("a", 1)
    relay.relay(stock_alias())
    execute(
        stock_alias(),
        "UPDATE monolift_delivery SET target = %s, subscriber = %s WHERE target <> ''",
        (target, target),
    )
    others.reachable.add("mars")
    work()
    assert others.came == [("mars", body("a", 1), ("sales",))]


# Another database of this deployable ----------------------------------------------------------


def test_a_subscriber_that_gets_a_database_of_its_own_takes_its_deliveries_along(
    attic: Move, scenario: Scenario
) -> None:
    fill("a", 1, 2)
    relay_all()
    attic.go("sales")
    fill("a", 3)
    work()
    assert mails() == ["a:1", "a:2", "a:3"]
    assert topology().alias("sales") == ATTIC


def test_a_publisher_that_moves_takes_along_what_it_has_to_hand_over(
    attic: Move, others: Deployables, scenario: Scenario
) -> None:
    install(moved("sales", "mars"))
    fill("a", 1)
    work()
    fill("a", 2)
    attic.go("stock")
    others.reachable.add("mars")
    scenario.travel(minutes=5)
    scenario.travel(minutes=5)
    assert [sent for _, sent, _ in others.came] == [body("a", 1), body("a", 2)]


def test_a_stale_relay_is_refused_and_relays_by_what_is_true(
    attic: Move, scenario: Scenario, caplog: pytest.LogCaptureFixture
) -> None:
    fill("a", 1)
    attic.go("sales", told=False)
    running = worker.Worker(threads=1)
    running.start()
    try:
        eventually(lambda: topology().alias("sales") == ATTIC, what="a refusal is news")
        eventually(lambda: mails() == ["a:1"])
    finally:
        assert running.stop()
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


def test_a_handler_refused_by_a_fence_has_not_failed(
    attic: Move, scenario: Scenario, caplog: pytest.LogCaptureFixture
) -> None:
    fill("a", 1)
    relay_all()
    claimed = claim()
    attic.go("sales", told=False)
    handling.run(ALIAS, claimed)
    rows = "SELECT state, attempts, failure FROM monolift_delivery WHERE module = 'sales'"
    assert fetch(ATTIC, rows) == [("pending", 0, "")]
    work()
    assert mails() == ["a:1"]
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


def test_a_task_refused_by_a_fence_runs_where_its_module_is(
    attic: Move, scenario: Scenario
) -> None:
    remind.enqueue(key="r")
    claimed = claim()
    attic.go("sales", told=False)
    handling.run(ALIAS, claimed)
    work()
    assert mails() == ["r"]


def test_what_a_module_left_behind_holds_nobody_up(
    attic: Move, scenario: Scenario, caplog: pytest.LogCaptureFixture
) -> None:
    """Its old rows are locked: events not relayed, deliveries waiting, a saga that runs."""
    Selling.start(key="s", card="good")
    with atomic(module="sales"):
        publish(Sold(sale="s"))
    fill("a", 1, 2)
    relay_all()
    with atomic(module="sales"):
        publish(Sold(sale="t"))
    attic.go("sales")
    relayed = relay.relay(ALIAS)
    assert relayed.events == 0
    assert runtime.run_next(ALIAS) is False
    upkeep.look_after(ALIAS)
    upkeep.purge(ALIAS)
    assert all(lag.module != "sales" for lag in lateness.lags(ALIAS))
    work()
    assert {"a:1", "a:2", "s", "t"} <= set(mails())


@pytest.fixture
def one_by_one(settings: Settings) -> None:
    """Steps run outside transactions, so that there is a middle to move in."""
    settings.MONOLIFT = {**settings.MONOLIFT, "FUSION": False}


@pytest.mark.usefixtures("one_by_one")
@pytest.mark.parametrize(
    "place", ["hold_first", "hold_first.after", "authorise.after", "capture", "capture.after"]
)
@pytest.mark.parametrize("told", [True, False], ids=["told", "stale"])
def test_a_saga_whose_module_moves_in_the_middle_goes_on_there(
    attic: Move,
    stock: Stock,
    scenario: Scenario,
    place: str,
    told: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    faults.planned[place] = [lambda: attic.go("sales", told=told)]
    run = Selling.run(key="k", timeout=20)
    assert run.status is SagaStatus.DONE
    assert all("failed" not in line.what for line in run.history)
    assert list(Sale.objects.using(ATTIC).values_list("key", "state")) == [("k", "closed")]
    levels = stock.levels(skus=["a", "b"])
    assert (levels["a"].left, levels["b"].left) == (9, 8), "each hold once"
    assert network().states() == ["captured"]
    assert "saga step failed" not in caplog.text


def test_a_saga_that_begins_by_an_old_topology_begins_where_its_module_is(
    attic: Move, stock: Stock, scenario: Scenario
) -> None:
    attic.go("sales", told=False)
    assert Selling.run(key="k", timeout=20).status is SagaStatus.DONE
    assert Sale.objects.using(ATTIC).get().state == "closed"


@pytest.mark.usefixtures("one_by_one")
def test_a_saga_that_a_worker_runs_goes_on_too(
    attic: Move, stock: Stock, scenario: Scenario
) -> None:
    Selling.start(key="k", card="good")
    faults.planned["authorise"] = [lambda: attic.go("sales", told=False)]
    assert runtime.run_next(ALIAS)
    assert Sale.objects.using(ATTIC).get().state == "closed"


# What comes in --------------------------------------------------------------------------------


def test_a_stale_receiver_takes_nothing_in(attic: Move, scenario: Scenario) -> None:
    sent = filled("a", 1, subscribers="sales")
    attic.go("sales", told=False)
    with pytest.raises(Misplaced) as misplaced:
        arrive.accept([sent])
    assert misplaced.value.events == {sent.id}
    arrive.accept([sent])
    work()
    assert mails() == ["a:1"]


def test_only_what_is_for_modules_that_run_here_is_taken(scenario: Scenario) -> None:
    both = filled("a", 1, subscribers="sales,search")
    install(moved("search", "mars"))
    with pytest.raises(Misplaced, match="does not run search") as misplaced:
        arrive.accept([both, filled("b", 2, subscribers="sales")])
    assert misplaced.value.events == {both.id}
    scenario.run_until_idle()
    assert mails() == ["a:1", "b:2"], "and the rest is kept"


def test_a_deployable_that_runs_nothing_more_answers_for_nobody(scenario: Scenario) -> None:
    """It reads on what was sent to it before, and gives it back."""
    known = topology()
    places = {label: placed(deployable="mars") for label in known.places}
    install(replace(known, epoch=1, places=places))
    sent = filled("a", 1)
    with pytest.raises(Misplaced, match="does not run sales") as misplaced:
        arrive.take([sent])
    assert misplaced.value.events == {sent.id}
    assert arrive.publishers() == []
    assert "stock" in arrive.others()
    upkeep.purge(ALIAS)


def test_all_that_is_not_kept_comes_back_though_a_fence_refuses_only_a_part(
    attic: Move, scenario: Scenario
) -> None:
    elsewhere, fenced = filled("a", 1, subscribers="search"), filled("b", 2, subscribers="sales")
    attic.go("sales", told=False)
    with pytest.raises(Misplaced) as misplaced:
        arrive.accept([elsewhere, fenced])
    assert misplaced.value.events == {elsewhere.id, fenced.id}


def test_a_subscriber_that_its_release_does_not_know_is_told_and_kept(scenario: Scenario) -> None:
    arrive.accept([filled("a", 1, subscribers="cards,sales")])
    scenario.run_until_idle()
    assert mails() == ["a:1"]
    (failure,) = scenario.failed_deliveries()
    assert "cards does not subscribe to stock.filled.v1" in failure


# What one module's seal costs the others ---------------------------------------------------------


@pytest.fixture
def quiet(request: pytest.FixtureRequest) -> Iterator[None]:
    """Handlers that write nothing, of stock and of sales."""
    added = [
        Subscription(
            event=Counted,
            handler=lambda event: None,
            python_module=f"tests.library.world.{module}.handlers",
            name="quiet",
        )
        for module in ("stock", "sales")
    ]
    for one in added:
        add(one)
    yield
    for one in added:
        remove(one)


def count(*totals: int) -> None:
    for total in totals:
        with atomic(module="stock"):
            publish(Counted(total=total))
    relay_all()


def quiet_ones(alias: str) -> list[tuple[str, str]]:
    return fetch(
        alias,
        "SELECT module, state FROM monolift_delivery WHERE subscriber LIKE %s ORDER BY module",
        ("%.quiet",),
    )


@pytest.mark.one_database
def test_what_is_done_beside_a_module_that_has_moved_stays_done(
    quiet: None, attic: Move, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handling, "TURN", 60.0)  # however busy the machine is
    monkeypatch.setattr(handling, "_seconds", {})
    count(1)
    batch = deliveries.claim(ALIAS, modules=["stock", "sales"])
    attic.go("sales", told=False)
    handling.run(ALIAS, batch)
    assert ("stock", "done") in quiet_ones(ALIAS)
    assert quiet_ones(ATTIC) == [("sales", "done")]


@pytest.mark.parametrize("known", [True, False], ids=["where it is", "not yet where it is"])
@pytest.mark.one_database
def test_what_is_not_begun_beside_a_sealed_module_is_given_back(
    quiet: None,
    attic: Move,
    scenario: Scenario,
    monkeypatch: pytest.MonkeyPatch,
    known: bool,
) -> None:
    monkeypatch.setattr(handling, "TURN", 0.0)
    monkeypatch.setattr(handling, "_seconds", {})
    count(1, 2, 3)
    batch = deliveries.claim(ALIAS, modules=["stock", "sales"])
    attic.go("sales", told=False)
    news, attic.news = attic.news, attic.news if known else None
    with contextlib.nullcontext() if known else pytest.raises(DatabaseError):
        handling.run(ALIAS, batch)
    of_stock = deliveries.claim(ALIAS, modules=["stock"])
    assert len(of_stock) >= 2
    assert {(one.attempts, one.crashed) for one in of_stock} == {(1, False)}
    attic.news = news
    attic.tell()
    owed.give_back_owed(ALIAS)
    of_sales = deliveries.claim(ATTIC, modules=["sales"])
    assert len(of_sales) >= 5
    assert {(one.attempts, one.crashed) for one in of_sales} == {(1, False)}


def test_a_lane_goes_on_beside_a_sealed_module(attic: Move, scenario: Scenario) -> None:
    fill("a", 1, 2)
    relay_all()
    (first,) = claim()
    execute(ALIAS, "UPDATE monolift_delivery SET state = 'done' WHERE token <> ''")
    attic.go("sales", told=False)
    others = [lanes.Lane("stock", "stock", "a", ""), lanes.Lane("sales", "stock", "a", "")]
    lanes.go_on(ALIAS, others)
    assert first.lane in others
    assert fetch(
        ATTIC, "SELECT state FROM monolift_delivery WHERE number <> %s", (first.number,)
    ) == [("pending",)]
