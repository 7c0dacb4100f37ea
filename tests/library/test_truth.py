"""The truth row: it decides where modules are, and every process follows it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from pytest_django import Settings

from monolift.events.worker import Worker, aliases
from monolift.registry import topology as registry
from monolift.registry.places import DEFAULT_ALIAS, Deployable, Place, Topology
from monolift.registry.topology import install, topology
from monolift.truth import copy, learning, row
from monolift.truth.document import Document, Malformed, Stay, applied, decode, encode, of
from tests.library.pairs import Pair
from tests.library.relaying import moved
from tests.library.running import eventually, monolift, python

HERE = "shop"
AWAY = Stay(deployable="warehouse", database=DEFAULT_ALIAS)
HOME = Stay(deployable=HERE, database=DEFAULT_ALIAS)


@pytest.fixture
def known(settings: Settings, tmp_path: Path) -> Iterator[Topology]:
    """Two deployables, and all is in the shop."""
    settings.MONOLIFT = {**settings.MONOLIFT, "DATA": tmp_path}
    registry.reset()
    before = topology()
    deployables = {name: Deployable(url=f"http://{name}") for name in (HERE, "warehouse")}
    install(Topology(places=before.places, deployables=deployables))
    yield topology()
    registry.reset()


def test_a_document_says_the_same_when_read() -> None:
    document = Document(epoch=3, places={"stock": AWAY})
    assert decode(encode(document)) == document


@pytest.mark.parametrize("text", ["", "[]", '{"epoch": "1", "places": {}}', "\xff", '{"epoch": 1}'])
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="not a topology"):
        decode(text)


def test_a_module_that_is_not_installed_is_left_out(known: Topology) -> None:
    after = applied(known, Document(epoch=1, places={"stok": AWAY, "stock": AWAY}))
    assert "stok" not in after.places
    assert after.place("stock") == Place(deployable="warehouse", route="http")
    assert after.epoch == 1


@pytest.mark.parametrize(
    ("stay", "problem"),
    [
        (Stay(deployable="attic", database=DEFAULT_ALIAS), "'attic', which the topology's file"),
        (Stay(deployable=HERE, database="attic"), "the database 'attic', which DATABASES lacks"),
    ],
    ids=["deployable", "database"],
)
def test_what_this_project_lacks_is_named_and_changes_nothing(
    known: Topology, stay: Stay, problem: str
) -> None:
    document = Document(epoch=1, places={"stock": stay})
    with pytest.raises(ImproperlyConfigured, match=problem):
        applied(known, document)
    assert not learning.learn(document)
    assert topology() == known


def test_an_older_epoch_changes_nothing(known: Topology) -> None:
    assert learning.learn(Document(epoch=2, places={"stock": AWAY}))
    assert learning.learn(Document(epoch=1, places={"stock": HOME}))
    assert topology().place("stock").deployable == "warehouse"


@pytest.mark.django_db(databases="__all__")
class TestRow:
    def test_each_change_is_an_epoch_and_keeps_the_others(self) -> None:
        assert row.latest(connections[DEFAULT_ALIAS]) == row.NOTHING
        row.change({"stock": AWAY})
        after = row.change({"sales": AWAY})
        assert after == Document(epoch=2, places={"stock": AWAY, "sales": AWAY})
        assert row.latest(connections[DEFAULT_ALIAS]) == after
        assert row.epoch(connections[DEFAULT_ALIAS]) == 2

    def test_of_two_at_once_one_is_overtaken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        row.change({"stock": AWAY})
        monkeypatch.setattr(row, "latest", lambda _: row.NOTHING)  # what the slower one has read
        with pytest.raises(row.Overtaken, match=r"Epoch 1 .* by somebody else"):
            row.change({"sales": AWAY})


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_a_new_process_begins_with_the_row(known: Topology) -> None:
    row.change({"stock": AWAY})
    assert learning.at_start(known).place("stock").deployable == "warehouse"


@pytest.mark.django_db(databases="__all__")
def test_without_the_database_the_copy_counts(
    known: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy.store(Document(epoch=4, places={"stock": AWAY}))
    monkeypatch.setattr(row, "apart", lambda: None)
    assert learning.at_start(known).epoch == 4


@pytest.mark.parametrize("text", ["", "{"], ids=["empty", "half"])
def test_a_copy_that_cannot_be_read_is_none(known: Topology, text: str) -> None:
    copy.store(of(known))
    (copy.folder() / "document.json").write_text(text)
    assert copy.load() is None


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_a_worker_begins_anew_with_the_modules_that_are_here_now() -> None:
    running = Worker(threads=1)
    running.start()
    try:
        before = running._crew
        install(moved("stock", "warehouse"))
        after = eventually(lambda: running._crew is not before and running._crew)
        assert after is not before
        assert not any(thread.is_alive() for thread in before._threads)
    finally:
        assert running.stop()
        registry.reset()


@pytest.mark.django_db(databases="__all__")
def test_a_database_of_modules_elsewhere_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    known = topology()
    label = "stock"
    try:
        install(moved(label, "warehouse"))
        others = {known.alias(other) for other in registry.modules() if other != label}
        assert set(aliases()) == others
    finally:
        registry.reset()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = Pair(tmp_path_factory.mktemp("pair"))
    try:
        for one in made.one.values():
            one.start()
        yield made
    finally:
        for one in made.one.values():
            one.close()


def test_every_process_follows(pair: Pair) -> None:
    before = pair.knows("shop")[0]
    pair.move("shop")
    for name in pair.ports:
        eventually(lambda name=name: pair.knows(name) == (before + 1, "shop"), seconds=10)
    pair.move("warehouse")
    for name in pair.ports:
        eventually(lambda name=name: pair.knows(name) == (before + 2, "warehouse"), seconds=10)


def test_who_was_away_learns_when_it_is_back(pair: Pair) -> None:
    before = pair.knows("shop")[0]
    warehouse = pair.one["warehouse"]
    warehouse.stop()
    pair.move("shop")
    warehouse.start()
    eventually(lambda: pair.knows("warehouse") == (before + 1, "shop"), seconds=20)
    pair.move("warehouse")


def test_commands_see_it_too_and_the_file_is_told_apart(pair: Pair) -> None:
    pair.move("shop")
    env = pair.one["shop"].env
    shown = json.loads(monolift("topology", "show", "--format", "json", env=env).stdout)
    assert {one["module"]: one["deployable"] for one in shown["modules"]}["stock"] == "shop"
    checked = monolift("topology", "check", env=env)
    assert checked.returncode == 1
    assert "stock: the file says warehouse, the truth row says shop" in checked.stdout
    pair.move("warehouse")
    assert "the file says" not in monolift("topology", "check", env=env).stdout


def test_only_what_the_control_deployable_signed_counts(pair: Pair) -> None:
    before = pair.knows("warehouse")
    told = {"epoch": 99, "places": {"stock": {"deployable": "shop", "database": "default"}}}
    assert pair.ask("warehouse", told, signed=False).status == 401
    assert pair.ask("warehouse", told, issuer="warehouse").status == 200  # heard, not believed
    assert pair.ask("shop", told).status == 200
    assert pair.knows("warehouse") == before
    assert pair.knows("shop") == before


def test_one_that_cannot_be_carried_out_is_refused_and_changes_nothing(pair: Pair) -> None:
    before = pair.knows("warehouse")
    told = {"epoch": 99, "places": {"stock": {"deployable": "attic", "database": "default"}}}
    answer = pair.ask("warehouse", told)
    assert answer.status == 409
    assert "its log says why" in answer.data.decode()
    assert "attic" in pair.one["warehouse"].log.read_text()
    assert pair.knows("warehouse") == before


def test_two_that_claim_a_module_are_named(pair: Pair) -> None:
    epoch, _ = pair.knows("shop")
    told = {"epoch": epoch, "places": {"sales": {"deployable": "warehouse", "database": "default"}}}
    assert pair.ask("shop", told).json()["places"]["sales"]["deployable"] == "shop"
    log = pair.one["shop"].log.read_text()
    assert "two deployables claim a module" in log


def test_a_row_that_was_restored_is_said_and_can_be_put_in_force(pair: Pair) -> None:
    """Nobody follows an epoch that is older than what they know: a person has to look."""
    pair.move("shop")
    before, _ = pair.knows("shop")
    pair.move("warehouse")
    pair.move("warehouse")
    eventually(lambda: pair.knows("warehouse") == (before + 2, "warehouse"))
    shop = pair.one["shop"]
    backup = f"DELETE FROM monolift_truth WHERE epoch > {before}"
    python(f"from django.db import connection\nconnection.cursor().execute({backup!r})", shop.env)
    told = pair.move("warehouse")
    reason = f"it knows epoch {before + 2} of the topology, and the truth row says {before + 1}"
    assert reason in told
    pair.ask("shop", {"epoch": before + 3, "places": {}})
    assert "a deployable does not follow the truth row" in shop.log.read_text()

    raised = monolift("topology", "raise", "--above", str(before + 2), env=shop.env)
    assert raised.stdout == f"Epoch {before + 3} is in force: what the row said before.\n"
    for name in pair.ports:
        eventually(lambda name=name: pair.knows(name) == (before + 3, "warehouse"), seconds=20)
    elsewhere = monolift("topology", "raise", "--above", "1", env=pair.one["warehouse"].env)
    assert elsewhere.returncode == 1
    assert "The truth row is in the deployable 'shop'" in elsewhere.stderr


@pytest.mark.parametrize("body", [[], {"epoch": "x"}, "{"], ids=["list", "types", "text"])
def test_what_is_no_topology_is_refused(pair: Pair, body: object) -> None:
    answer = pair.ask("warehouse", body)
    assert answer.status == 400
    assert "not a topology" in answer.data.decode()
