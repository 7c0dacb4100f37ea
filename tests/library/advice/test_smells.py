"""The signs of a distributed monolith, each with an alarm and without one."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, connections
from hypothesis import given
from hypothesis import strategies as st

from monolift.kernel import clock
from monolift.lift.advice.evidence import Kind
from monolift.lift.advice.material import Material
from monolift.lift.advice.smells import signs
from monolift.lift.advice.smells.alone import needs_everything
from monolift.lift.advice.smells.calls import (
    availability,
    chain,
    chatty,
    drift,
    hope,
    longest,
    product,
    spread,
    storm,
)
from monolift.lift.advice.smells.changes import beyond_chance, changed_together, lock_step
from monolift.lift.advice.smells.databases import shared_database
from monolift.lift.advice.smells.services import dead_switch, one_team
from monolift.lift.advice.smells.smell import Smell, State
from monolift.lift.advice.tested import AloneRun, keep
from monolift.observe.seen import Counted, Hop, Hope, Seen, Talk
from monolift.registry import topology as registry
from monolift.registry.modules import modules
from monolift.registry.places import Deployable, Place
from monolift.registry.sql import fetch
from monolift.registry.topology import install, topology
from monolift.truth.document import Document, Stay, encode
from tests.library.advice.conftest import Repository
from tests.library.advice.test_tables import DEPLOYS, deploy

pytestmark = pytest.mark.django_db(databases="__all__")

type Measured = Callable[..., Material]
type Placed = Callable[..., None]


@pytest.fixture
def placed() -> Iterator[Placed]:
    """Puts modules into other deployables, as far as the topology knows."""

    def put(**deployables: str) -> None:
        known = topology()
        names = {known.place(label).deployable for label in modules()} | {*deployables.values()}
        home = known.place("orders").deployable
        places = {
            label: Place(deployable=name, route="http", alias=known.alias(label))
            for label, name in deployables.items()
        }
        install(
            replace(
                known,
                epoch=known.epoch + 1,
                places={**known.places, **places},
                deployables={name: Deployable() for name in [home, *sorted(names - {home})]},
            )
        )

    yield put
    registry.reset()


def hop(entry: str, *calls: str, trace: str = "t", deployable: str = "shop") -> Hop:
    return Hop(trace=trace, deployable=deployable, entry=entry, calls=calls)


# Calls -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hops", "state", "told"),
    [
        ([], State.OK, "0 hops (p95 of 0 traces"),
        ([hop("GET /", "a.x", "b.y")], State.OK, "1 hop (p95 of 1 trace"),
        ([hop("GET /", "a.x"), hop("a.x", "b.y", deployable="a")], State.OK, "2 hops"),
        (
            [
                hop("GET /", "a.x"),
                hop("a.x", "b.y", deployable="a"),
                hop("b.y", "c.z", deployable="b"),
            ],
            State.ALARM,
            "3 hops",
        ),
        ([hop("GET /", "a.x"), hop("b.y", "c.z", trace="other")], State.OK, "1 hop (p95 of 2"),
        (
            [hop("a.x", "b.y", deployable="a"), hop("b.y", "a.x", deployable="b")],
            State.ALARM,
            "1 circle",
        ),
        (
            [
                hop("a.x", "b.y", deployable="a"),
                hop("b.y", "a.other", deployable="b"),
                hop("a.other", "c.z", deployable="a"),
            ],
            State.ALARM,
            "1 circle",
        ),
    ],
    ids=["none", "one", "two", "three", "apart", "circle", "other operation"],
)
def test_chains(measured: Measured, hops: list[Hop], state: State, told: str) -> None:
    found = chain(measured(Seen(requests=10, hops=hops)))
    assert (found.state, told in found.value) == (state, True), found.value


@given(st.integers(1, 12))
def test_a_chain_of_n_has_n_hops(length: int) -> None:
    hops = [hop(f"m{n}.x", f"m{n + 1}.x", deployable=f"d{n}") for n in range(length)]
    assert longest(hops) == longest(hops[::-1]) == (length, ())


def edge(caller: str, operation: str, **counts: int) -> Counted:
    return Counted(caller=caller, operation=operation, **counts)


def test_availability_is_a_product(measured: Measured, placed: Placed) -> None:
    placed(inventory="warehouse", pricing="prices")
    calls = [
        edge("orders", "inventory.reserve", remote=10_000, unavailable=6),
        edge("inventory", "pricing.prices", remote=10_000, unavailable=6),
    ]
    found = availability(measured(Seen(requests=1, counted=calls)))
    assert (found.state, found.value) == (State.ALARM, "99.88 % of shop")
    assert availability(measured(Seen(counted=calls[1:]))).state is State.OK
    assert availability(measured(Seen(counted=[edge("-", "x.y", calls=1)]))).state is State.OK
    assert availability(measured(Seen())).state is State.UNKNOWN


@given(
    st.dictionaries(
        st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), st.floats(0, 1), max_size=8
    )
)
def test_a_product_is_no_more_than_its_worst_direct_dependency_alone(
    rates: Mapping[tuple[str, str], float],
) -> None:
    found = product(rates, "a")
    assert 0 <= found <= 1
    if not any(first == "a" and second != "a" for first, second in rates):
        assert found == 1


def test_chatter(measured: Measured) -> None:
    seen = Seen(requests=10, remote={0: 9, 6: 1}, talk={"a.x": Talk(remote_at_once=6)})
    found = chatty(measured(seen))
    assert (found.state, found.found) == (State.ALARM, ("a.x: 6 times",))
    assert found.value == "6 remote calls a request (p95), 1 repeated"
    seen.talk["a.x"].remote_at_once = 5
    assert chatty(measured(seen)).state is State.OK


def test_hope(measured: Measured) -> None:
    one = Hope(modules=("cards", "stock"), requests=3, example="POST /buy")
    found = hope(measured(Seen(requests=10, hopes=[one])))
    assert (found.state, found.found) == (State.ALARM, ("POST /buy: cards, stock",))
    assert hope(measured(Seen(requests=10))).state is State.OK


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        ({"remote": 100, "retries": 10}, State.OK),
        ({"remote": 100, "retries": 11}, State.ALARM),
        ({"calls": 1}, State.OK),
        ({"undated": 1}, State.ALARM),
    ],
    ids=["few", "many", "none", "undated"],
)
def test_retries(measured: Measured, counts: dict[str, int], state: State) -> None:
    assert storm(measured(Seen(counted=[edge("a", "b.x", **counts)]))).state is state


@pytest.mark.parametrize(
    ("versions", "state"),
    [
        ({}, State.UNKNOWN),
        ({"shop": "1.2.0"}, State.OK),
        ({"shop": "1.2.0", "warehouse": "1.3.9"}, State.OK),
        ({"shop": "1.2.0", "warehouse": "1.4.0"}, State.ALARM),
        ({"shop": "1.2.0", "warehouse": "2.2.0"}, State.ALARM),
    ],
)
def test_drift(measured: Measured, versions: dict[str, str], state: State) -> None:
    seen = Seen(versions={name: {"contracts": one} for name, one in versions.items()})
    assert drift(measured(seen)).state is state


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 9)), min_size=1))
def test_a_spread_knows_no_order_and_no_patch(versions: list[tuple[int, int, int]]) -> None:
    texts = [".".join(map(str, one)) for one in versions]
    assert spread(texts) == spread(texts[::-1])
    assert (spread(texts) == 0) == (len({one[:2] for one in versions}) == 1)


@pytest.mark.parametrize("sign", [chain, availability, chatty, hope, storm, drift])
def test_without_data_nothing_is_known(
    measured: Measured, sign: Callable[[Material], Smell]
) -> None:
    assert sign(measured()).state is State.UNKNOWN


# Changes ---------------------------------------------------------------------------------------


def test_services_that_change_together(
    repository: Repository, measured: Measured, placed: Placed
) -> None:
    for number in range(10):
        other = ["modules/pricing/models.py"] if number < 2 else []
        repository.commit("modules/inventory/models.py", *other, "modules/inventory/x.py")
    assert changed_together(measured()).state is State.OK, "there is one"
    placed(inventory="warehouse", pricing="warehouse")
    found = changed_together(measured())
    assert (found.state, found.value[:3]) == (State.OK, "0 %"), "they are one service"
    placed(inventory="warehouse", pricing="prices")
    found = changed_together(measured())
    assert (found.state, found.found) == (State.ALARM, ("warehouse: 20 %",))
    assert changed_together(measured(limits={"FEWEST_COMMITS": 11})).state is State.UNKNOWN


def test_deploys_in_lock_step(repository: Repository, measured: Measured, placed: Placed) -> None:
    file = repository.root / "deploys.csv"

    def written(*lines: str) -> Material:
        file.write_text(DEPLOYS + "".join(lines))
        return measured(deploys=file)

    own = [deploy(50 - 3 * n) for n in range(12)]
    near = [deploy(50 - 3 * n - 0.01, modules="pricing") for n in range(12)]
    far = [deploy(49 - 3 * n, modules="pricing") for n in range(12)]
    assert lock_step(written(*own, *near)).state is State.OK, "there is one"
    placed(inventory="warehouse")
    assert lock_step(measured()).state is State.UNKNOWN
    assert lock_step(written(*own, *near)).state is State.ALARM
    assert lock_step(written(*own, *far)).state is State.OK
    said = [deploy(50 - 3 * n, notes="needs pricing first") for n in range(12)]
    assert lock_step(written(*said, *far)).state is State.ALARM
    both = [deploy(50 - 3 * n, modules="inventory pricing") for n in range(12)]
    assert lock_step(written(*both)).state is State.ALARM
    assert lock_step(written(*own[:3], *far[:3])).state is State.UNKNOWN


moments = st.lists(st.floats(0, 1e6).map(lambda s: datetime.fromtimestamp(s, UTC)), max_size=20)


@given(moments, moments)
def test_chance_is_taken_off_the_share(own: list[datetime], others: list[datetime]) -> None:
    found = beyond_chance([(at, False) for at in own], others, within=timedelta(minutes=30))
    assert -1 <= found <= 1
    if not own or not others:
        assert found == 0
    said = beyond_chance([(at, True) for at in own], others, within=timedelta(minutes=30))
    assert said >= found


# Places ----------------------------------------------------------------------------------------


def test_one_team_with_many_services(measured: Measured, placed: Placed) -> None:
    assert one_team(measured()).state is State.OK
    placed(search="search", recommendations="recommendations")
    found = one_team(measured(limits={"SERVICES_PER_TEAM": 1}))
    assert found.state is State.ALARM
    assert "team-discovery: recommendations, search" in found.found
    assert one_team(measured()).state is State.OK


def truth(*documents: tuple[float, str]) -> None:
    """Epochs, with days ago and where inventory then was."""
    with connection.cursor() as cursor:
        for number, (days, deployable) in enumerate(documents, start=1):
            stay = Stay(deployable=deployable, database="default")
            document = Document(epoch=number, places={"inventory": stay})
            at = connection.ops.adapt_datetimefield_value(clock.now() - timedelta(days=days))
            cursor.execute(
                "INSERT INTO monolift_truth (epoch, document, created_at) VALUES (%s, %s, %s)",
                [number, encode(document), at],
            )


@pytest.mark.parametrize(
    ("epochs", "state"),
    [
        ([], State.ALARM),
        ([(10, "warehouse")], State.ALARM),
        ([(90, "warehouse"), (10, "shop"), (9, "warehouse")], State.OK),
        ([(90, "warehouse"), (40, "shop"), (9, "warehouse")], State.ALARM),
        ([(9, "warehouse"), (8, "shop"), (7, "warehouse")], State.OK),
    ],
    ids=["never", "out only", "both ways", "home long ago", "all lately"],
)
def test_a_switch_that_nobody_turns(
    measured: Measured, placed: Placed, epochs: list[tuple[float, str]], state: State
) -> None:
    assert dead_switch(measured()).state is State.OK, "nothing is out"
    placed(inventory="warehouse")
    truth(*epochs)
    assert dead_switch(measured()).state is state


def test_a_drill_turns_the_switch_too(
    measured: Measured, placed: Placed, drilled: Callable[..., None]
) -> None:
    placed(inventory="warehouse")
    drilled(Kind.OUT)
    drilled(Kind.HOME, days_ago=31)
    assert dead_switch(measured()).state is State.ALARM
    drilled(Kind.HOME)
    assert dead_switch(measured()).state is State.OK


def test_two_services_on_one_database(measured: Measured, placed: Placed) -> None:
    apart = len({topology().alias(label) for label in ("inventory", "pricing")}) > 1
    assert shared_database(measured()).state is State.OK
    placed(inventory="warehouse")
    found = shared_database(measured())
    assert found.state is (State.OK if apart else State.ALARM)
    if not apart:
        assert any("inventory" in one and "pricing" in one for one in found.found)


@pytest.fixture
def role(monkeypatch: pytest.MonkeyPatch) -> str:
    """An alias of the test database for stock, with a role of its own that may do nothing."""
    name = "monolift_smell_stock"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name} LOGIN")
    alias = "stock_sealed"
    databases: dict[str, Any] = connections.settings
    monkeypatch.setitem(databases, alias, {**databases["default"], "USER": name})
    monkeypatch.setitem(settings.DATABASES, alias, databases[alias])
    # Asked through the test's own connection, which sees what its transaction has granted.
    monkeypatch.setattr(
        "monolift.lift.advice.smells.databases.fetch",
        lambda _, *more: fetch("default", *more),
    )
    return name


@pytest.mark.postgresql
def test_grants_across_the_boundary(measured: Measured, role: str) -> None:
    if topology().alias("stock") != "default":
        pytest.skip("about one database")
    known = topology()
    sealed = Place(deployable=known.place("stock").deployable, alias="stock_sealed")
    install(replace(known, epoch=known.epoch + 1, places={**known.places, "stock": sealed}))
    try:
        before = shared_database(measured())
        mine = [one for one in before.found if one.startswith("stock's role")]
        assert mine == []
        with connection.cursor() as cursor:
            cursor.execute(f"GRANT SELECT ON sales_mail TO {role}")
        found = shared_database(measured())
        assert found.state is State.ALARM
        assert f"stock's role {role} has SELECT on sales's sales_mail" in found.found
    finally:
        registry.reset()


# Tests -----------------------------------------------------------------------------------------


def test_modules_that_are_tested_alone(repository: Repository, measured: Measured) -> None:
    now = clock.now().timestamp()
    assert needs_everything(measured()).state is State.UNKNOWN
    for label in modules():
        keep(repository.root, label, AloneRun(at=now, tests=5, processes=1))
    assert needs_everything(measured()).state is State.OK
    keep(repository.root, "inventory", AloneRun(at=now - 31 * 86400, tests=5, processes=1))
    found = needs_everything(measured())
    assert (found.state, "not known of inventory" in found.value) == (State.UNKNOWN, True)
    keep(repository.root, "pricing", AloneRun(at=now, tests=5, processes=3))
    found = needs_everything(measured())
    assert (found.state, found.found) == (State.ALARM, ("pricing: 3 processes",))


# The verb --------------------------------------------------------------------------------------


def test_an_alarm_is_an_exit_code(
    repository: Repository, measured: Measured, capsys: pytest.CaptureFixture[str]
) -> None:
    measured(Seen(requests=10))
    call_command("monolift", "smells")
    assert "0 ALARM, " in capsys.readouterr().out
    measured(Seen(requests=10, hopes=[Hope(modules=("a", "b"), requests=1, example="POST /x")]))
    with pytest.raises(SystemExit) as caught:
        call_command("monolift", "smells", "--format", "json")
    assert caught.value.code == 1
    document = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in document if one["state"] == "ALARM"] == [
        "Distributed transaction by hope"
    ]
    assert len(document) == len({one["name"] for one in document}) == 12


def test_what_cannot_be_read_is_said(repository: Repository, measured: Measured) -> None:
    measured()
    with pytest.raises(CommandError, match=r"none\.csv cannot be read"):
        call_command("monolift", "smells", "--deploys", "none.csv")
    (Path("broken")).mkdir()
    (Path("broken") / "1-1.json").write_text("[]")
    with pytest.raises(CommandError, match=r"1-1\.json is not what a process has seen"):
        call_command("monolift", "smells", "--observed", "broken")


def test_the_order_is_that_of_the_guide(repository: Repository, measured: Measured) -> None:
    names = [one.name for one in signs(measured())]
    assert (names[0], names[-1]) == ("Lock-step deploys", "Dead switch")
