"""`monolift assess` as a whole: boundary, verb, decision record, cheaper answers."""

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from monolift import atomic, publish
from monolift.events.relay import relay
from monolift.kernel import clock
from monolift.lift.advice import assess
from monolift.lift.advice.adr import write
from monolift.lift.advice.advice import CONDITIONS, FORCES, Outcome, Verdict
from monolift.lift.advice.boundary import clean
from monolift.lift.advice.cheaper import cheaper
from monolift.lift.advice.evidence import PROBES, Kind
from monolift.lift.advice.material import Material
from monolift.lift.moving import Blocked
from monolift.lift.plan.stage import Lift
from monolift.lift.plan.stages.assess import Assess
from monolift.observe.seen import Counted, Seen, Talk, Weighed
from monolift.registry.sql import execute
from monolift.registry.topology import topology
from monolift.testing.scenario import Scenario
from tests.library.advice.conftest import Repository
from tests.library.advice.test_tables import DEPLOYS, deploy
from tests.library.running import ROOT, monolift
from tests.library.world.stock.events import Filled

pytestmark = pytest.mark.django_db(databases="__all__")

type Measured = Callable[..., Material]


def shop(root: Path) -> None:
    """The shop's modules, as they are, in a project of the test's own."""
    shutil.rmtree(root / "modules")
    shutil.copytree(ROOT / "modules", root / "modules")
    (root / "pyproject.toml").write_text(
        '[tool.monolift]\nmodules = ["modules.*"]\nbff = ["storefront"]\n'
    )


@pytest.mark.parametrize("plant", ["own", "reaching in", "accepted"])
def test_what_crosses_the_boundary_counts_either_way(
    repository: Repository, measured: Measured, plant: str
) -> None:
    shop(repository.root)
    seen = Seen(guards={"refuse": 1})
    criterion, found = clean(measured(seen), "inventory")
    assert (criterion.outcome, found) == (Outcome.PASS, [])
    file, line = {
        "own": ("inventory/services.py", "\nfrom modules.pricing.models import Coupon\n"),
        "reaching in": ("pricing/queries.py", "\nfrom modules.inventory.models import Hold\n"),
        "accepted": ("pricing/queries.py", "\nfrom modules.inventory.models import Hold\n"),
    }[plant]
    target = repository.root / "modules" / file
    if not target.exists():
        target = target.with_suffix("") / "planted.py"
    with target.open("a") as out:
        out.write(line)
    if plant == "accepted":
        done = monolift("check", "--static", "--baseline", "--no-cache", cwd=repository.root)
        assert "holds 1 violation" in done.stderr
    criterion, found = clean(measured(seen), "inventory")
    assert criterion.outcome is Outcome.FAIL
    assert "1 coupling in the code" in criterion.value
    assert "planted.py:" in found[0] or file in found[0]
    criterion, found = clean(measured(seen), "catalog")
    assert criterion.outcome is Outcome.PASS, "it has nothing to do with it"


@pytest.mark.parametrize(
    ("caller", "table", "outcome"),
    [
        ("pricing", "stock_item", Outcome.FAIL),
        ("stock", "catalog_product", Outcome.FAIL),
        ("pricing", "catalog_product", Outcome.PASS),
    ],
)
def test_statements_that_cross_count_too(
    repository: Repository, measured: Measured, caller: str, table: str, outcome: Outcome
) -> None:
    crossing = Counted(caller=caller, operation=f"sql:{table}", calls=7)
    seen = Seen(guards={"sample": 1}, counted=[crossing])
    criterion, found = clean(measured(seen), "stock")
    assert criterion.outcome is outcome
    assert bool(found) == (outcome is Outcome.FAIL)


@pytest.mark.parametrize("guards", [{}, {"off": 3}])
def test_statements_nobody_looked_at_are_not_known(
    repository: Repository, measured: Measured, guards: dict[str, int]
) -> None:
    criterion, _ = clean(measured(Seen(guards=guards)), "inventory")
    assert criterion.outcome is Outcome.UNKNOWN
    assert "no process has looked at its statements: set SQL_GUARD" in criterion.value


def everything(repository: Repository, drilled: Callable[..., None]) -> Seen:
    """All that speaks for a lift of inventory."""
    for number in range(12):
        repository.commit("modules/inventory/models.py", days_ago=100 - number)
    drilled(Kind.PROVISION, seconds=600)
    drilled(Kind.ROLLBACK, seconds=0.1)
    for name in PROBES:
        drilled(Kind.PROBE, name=name)
    (repository.root / "deploys.csv").write_text(
        DEPLOYS + "".join(deploy(20 - n, queue=2) for n in range(10))
    )
    return Seen(
        guards={"sample": 2},
        requests=1000,
        cpu=100.0,
        modules={"inventory": Weighed(requests=100, cpu=50.0, calls={1: 100})},
        talk={"inventory.available": Talk(calls=100, bytes={8: 100})},
    )


def test_lift_when_all_of_it_holds(
    repository: Repository, measured: Measured, drilled: Callable[..., None]
) -> None:
    seen = everything(repository, drilled)
    measured(seen)
    advice = assess(module="inventory", deploys=Path("deploys.csv"))
    outcomes = {one.number: one.outcome for one in advice.criteria}
    assert [*outcomes] == [f"D{number}" for number in range(1, 13)]
    assert {outcomes[number] for number in CONDITIONS} == {Outcome.PASS}
    assert {number for number in FORCES if outcomes[number] is Outcome.PASS} == {"D5", "D6"}
    assert (advice.verdict, advice.blockers) == (Verdict.LIFT, ())
    assert "50 % of the CPU in 10 % of 1000 requests: 5.0 times" in advice.reasons[1]
    role = next(one for one in advice.cheaper if one.name == "a role-only deployment")
    assert role.helps is True, "and it is cheaper"
    assert assess(module="inventory").verdict is Verdict.STAY, "D11 is not known without a log"


def test_a_module_that_others_reach_into_is_not_lifted(
    repository: Repository, measured: Measured
) -> None:
    """The lift's first stage refuses, with file and line; nothing has been changed."""
    measured()
    reach = "from modules.inventory.models import Stock\n"
    repository.commit(files={"modules/orders/services.py": reach})
    with pytest.raises(Blocked, match=r"cannot be lifted as it is:\n.*orders/services\.py:1"):
        Assess().apply(Lift(module="inventory", evidence={}))


def test_the_record_has_the_numbers_and_the_next_number(
    repository: Repository,
    measured: Measured,
    drilled: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    measured(everything(repository, drilled))
    folder = repository.root / "docs/adr"
    folder.mkdir(parents=True)
    (folder / "0007-calls.md").write_text("")
    (folder / "README.md").write_text("# Decisions\n\n- [0007. Calls](0007-calls.md)\n")
    call_command("monolift", "assess", "inventory", "--deploys", "deploys.csv", "--adr")
    assert "inventory (team-supply): LIFT" in capsys.readouterr().out
    text = (folder / "0008-inventory-is-lifted-out.md").read_text()
    assert text.startswith("# 0008. inventory is lifted out\n")
    for number in range(1, 13):
        assert f"\n| D{number} | " in text
    assert "50 % of the CPU" in text
    index = (folder / "README.md").read_text().splitlines()
    assert index[-1] == ("- [0008. inventory is lifted out](0008-inventory-is-lifted-out.md)")
    advice = assess(module="pricing")
    assert write(advice, folder=folder).name == "0009-pricing-stays-where-it-is.md"
    assert "- No force is real" in (folder / "0009-pricing-stays-where-it-is.md").read_text()


def test_json_is_for_programs(
    repository: Repository, measured: Measured, capsys: pytest.CaptureFixture[str]
) -> None:
    measured()
    call_command("monolift", "assess", "inventory", "--format", "json")
    document = json.loads(capsys.readouterr().out)
    assert (document["module"], document["verdict"]) == ("inventory", "stay")
    assert [one["number"] for one in document["criteria"]][:2] == ["D1", "D2"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["attic"], "There is no module 'attic'. Installed: cards, catalog"),
        (["inventory", "--deploys", "none.csv"], "none.csv cannot be read"),
        (["inventory", "--observed", "none"], "none is no folder"),
        (["inventory", "--rehearsal", "none.json"], "none.json cannot be read"),
        (["inventory", "--adr", "--adr-folder", "pyproject.toml/x"], "cannot be written to"),
    ],
    ids=["module", "deploys", "observed", "rehearsal", "adr"],
)
def test_what_is_wrong_is_said_in_one_line(
    repository: Repository, measured: Measured, words: list[str], problem: str
) -> None:
    measured()
    with pytest.raises(CommandError, match=problem) as caught:
        call_command("monolift", "assess", *words)
    assert caught.value.returncode == 1
    assert "\n" not in str(caught.value)


def test_no_project_is_said(
    repository: Repository, measured: Measured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    measured()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(CommandError, match=r"There is no pyproject\.toml"):
        call_command("monolift", "assess", "inventory")


def test_cheaper_answers_have_their_numbers(repository: Repository, measured: Measured) -> None:
    calls = [
        Counted(caller="-", operation="stock.levels", calls=900, timed=90, seconds=0.09),
        Counted(caller="sales", operation="stock.hold", calls=50, timed=5, seconds=0.01),
        Counted(caller="sales", operation="stock.give_back", calls=50, timed=5, seconds=0.2),
    ]
    material = measured(Seen(counted=calls))
    found = {one.name: one for one in cheaper(material, "stock", ())}
    assert next(iter(found)) == "an index"
    assert (found["a read replica"].helps, found["a read replica"].value) == (
        True,
        "90 % of 1000 calls are queries",
    )
    # 0.9 s of reading, 0.1 s of holding, 2 s of giving back, which answers nothing.
    assert (found["a queue"].helps, found["a queue"].value[:4]) == (True, "67 %")
    assert (found["more workers"].helps, found["more workers"].value) == (
        False,
        "0 deliveries due; 0 workers of its own",
    )
    assert found["a role-only deployment"].value == "no request was weighed"
    nothing = {one.name: one.helps for one in cheaper(measured(Seen()), "stock", ())}
    assert nothing["a queue"] is nothing["a read replica"] is None


def test_deliveries_that_wait_speak_for_workers(
    repository: Repository, measured: Measured, scenario: Scenario
) -> None:
    with atomic(module="stock"):
        publish(Filled(sku="a", quantity=1))
    relay(topology().alias("stock"))
    clock.travel(timedelta(minutes=2))
    found = {one.name: one for one in cheaper(measured(), "sales", ())}
    assert found["more workers"].helps is True
    assert "due, the oldest for 2" in found["more workers"].value


@pytest.mark.postgresql
def test_long_scans_speak_for_an_index(repository: Repository, measured: Measured) -> None:
    execute("default", "SELECT pg_stat_reset()")  # what other tests scanned
    found = {one.name: one for one in cheaper(measured(), "stock", ())}
    assert found["an index"].helps is False
    assert found["an index"].value == "no table was scanned 100 times"
