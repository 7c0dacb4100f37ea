"""The arithmetic, the verdict, drills, traffic and readiness."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from monolift.lift.advice import drilled as drilled_criteria
from monolift.lift.advice.advice import CONDITIONS, FORCES, Criterion, Outcome, Verdict, decide
from monolift.lift.advice.evidence import PROBES, Kind
from monolift.lift.advice.loops import looped
from monolift.lift.advice.material import Material, NotAssessed
from monolift.lift.advice.readiness import ready
from monolift.lift.advice.shares import duration, median, percent, percentile
from monolift.lift.advice.thresholds import thresholds
from monolift.lift.advice.traffic import heavy, peaks, thin
from monolift.lift.rehearsal.record import Called
from monolift.lift.rehearsal.report import Hurt, Report
from monolift.observe.seen import Line, Seen, Talk, Weighed
from tests.library.advice.conftest import Repository

type Measured = Callable[..., Material]


def criterion(number: str, outcome: Outcome) -> Criterion:
    return Criterion(
        number=number, title="T", outcome=outcome, value="v", source="s", threshold="t"
    )


@given(st.dictionaries(st.sampled_from((*CONDITIONS, *FORCES)), st.sampled_from(Outcome)))
def test_stay_unless_all_conditions_and_one_force_are_known_to_hold(
    outcomes: dict[str, Outcome],
) -> None:
    verdict, reasons = decide(tuple(criterion(*one) for one in sorted(outcomes.items())))
    passed = {number for number, outcome in outcomes.items() if outcome is Outcome.PASS}
    lift = passed >= set(CONDITIONS) and bool(passed & set(FORCES))
    assert verdict is (Verdict.LIFT if lift else Verdict.STAY)
    assert reasons


@pytest.mark.parametrize("number", CONDITIONS)
@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.FAIL])
def test_one_condition_is_enough_to_stay(number: str, outcome: Outcome) -> None:
    outcomes = dict.fromkeys((*CONDITIONS, "D6"), Outcome.PASS) | {number: outcome}
    verdict, reasons = decide(tuple(criterion(*one) for one in outcomes.items()))
    assert (verdict, reasons) == (Verdict.STAY, (f"{number} (t) is {outcome}: v",))


@given(st.lists(st.integers(0, 50), min_size=1), st.sampled_from([0.5, 0.95, 1.0]))
def test_a_percentile_is_the_smallest_that_covers_its_share(
    values: list[int], share: float
) -> None:
    spread = {value: values.count(value) for value in set(values)}
    found = percentile(spread, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values)


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_the_median_has_half_on_either_side(values: list[float]) -> None:
    found = median(values)
    assert 2 * sum(value <= found for value in values) >= len(values)
    assert 2 * sum(value >= found for value in values) >= len(values)


def test_nothing_has_no_middle() -> None:
    assert (percentile({}, 0.95), median([])) == (0, 0)
    assert [duration(one) for one in (1, 90, 5400, 172800)] == ["1 s", "1.5 min", "1.5 h", "2 d"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"CO_CHANG": 1}, "has no threshold 'CO_CHANG'. It has: BYTES_PER_CALL"),
        ({"CO_CHANGE": "much"}, r"\['CO_CHANGE'\] is 'much': give a number from 0"),
        ({"CO_CHANGE": True}, "give a number from 0"),
        ({"CO_CHANGE": -1}, "give a number from 0"),
        ({"TICKET": "("}, "give a regular expression"),
        ({"TICKET": 7}, "give a regular expression"),
    ],
)
def test_a_wrong_threshold_is_named(
    settings: object, given: dict[str, object], problem: str
) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "ADVICE": given}  # type: ignore[attr-defined]
    with pytest.raises(ImproperlyConfigured, match=problem):
        thresholds()


def talk(*, calls: dict[int, int], powers: dict[int, int] | None = None, most: int = 1) -> Seen:
    return Seen(
        requests=1000,
        modules={"inventory": Weighed(requests=100, calls=calls)},
        talk={"inventory.available": Talk(calls=100, bytes=powers or {10: 100})},
        lines=[Line(operation="inventory.available", place="x.py:7", requests=1, most=most)],
    )


@pytest.mark.parametrize(
    ("seen", "outcome", "told"),
    [
        (talk(calls={1: 90, 3: 10}), Outcome.PASS, "3 calls a request, up to 1 KiB a call, 0 N+1"),
        (talk(calls={1: 90, 4: 10}), Outcome.FAIL, "4 calls a request"),
        (talk(calls={1: 96, 40: 4}), Outcome.PASS, "1 call a request"),
        (talk(calls={1: 100}, powers={10: 90, 17: 10}), Outcome.FAIL, "up to 128 KiB a call"),
        (talk(calls={1: 100}, powers={10: 90, 16: 10}), Outcome.PASS, "up to 64 KiB a call"),
        (talk(calls={1: 100}, most=2), Outcome.FAIL, "x.py:7 calls inventory.available 2 times"),
        (talk(calls={1: 99}), Outcome.UNKNOWN, "99 requests were weighed, 100 are needed"),
        (talk(calls={9: 2}), Outcome.FAIL, "9 calls a request"),
        (Seen(), Outcome.UNKNOWN, "0 requests were weighed"),
    ],
    ids=["thin", "many", "seldom", "large", "just", "loop", "few", "bad", "none"],
)
def test_talk(measured: Measured, seen: Seen, outcome: Outcome, told: str) -> None:
    found = thin(measured(seen), "inventory")
    assert (found.outcome, told in found.value) == (outcome, True), found.value


def test_a_rehearsal_tells_of_talk_too(measured: Measured, tmp_path: Path) -> None:
    called = Called(calls=120, largest=70_000, per_request={1: 120})
    hurt = Hurt(kind="loop", operation="inventory.available", place="y.py:3", what="")
    report = Report(
        modules=("inventory",),
        seed=1,
        calls=120,
        operations={"inventory.available": called},
        hurts=(hurt,),
    )
    file = tmp_path / "report.json"
    file.write_bytes(msgspec.json.encode(msgspec.to_builtins(report, str_keys=True)))
    found = thin(measured(rehearsal=file), "inventory")
    assert found.outcome is Outcome.FAIL
    assert "up to 68.4 KiB a call, 1 N+1 (y.py:3 calls inventory.available in a loop)" in (
        found.value
    )
    assert thin(measured(rehearsal=file), "pricing").outcome is Outcome.UNKNOWN
    file.write_text("{}")
    with pytest.raises(NotAssessed, match="is no report of a rehearsal"):
        measured(rehearsal=file)


@pytest.mark.parametrize(
    ("cpu", "requests", "outcome"),
    [(40.0, 100, Outcome.PASS), (40.0, 200, Outcome.FAIL), (29.0, 50, Outcome.FAIL)],
    ids=["mismatch", "fits", "small"],
)
def test_cpu_against_requests(
    measured: Measured, cpu: float, requests: int, outcome: Outcome
) -> None:
    seen = Seen(
        requests=1000,
        cpu=100.0,
        modules={
            "inventory": Weighed(requests=requests, cpu=cpu, buckets={0: cpu / 2, 3: cpu / 2})
        },
    )
    found = heavy(measured(seen), "inventory")
    assert found.outcome is outcome
    assert f"{percent(cpu / 100)} of the CPU in {percent(requests / 1000)} of 1000" in found.value
    assert peaks(seen, "inventory") == (2.0, 0.0)
    assert heavy(measured(Seen(requests=99)), "inventory").outcome is Outcome.UNKNOWN


def test_drills(measured: Measured, drilled: Callable[..., None]) -> None:
    material = measured()

    def outcomes() -> list[Outcome]:
        measures = (
            drilled_criteria.provisioned,
            drilled_criteria.watched,
            drilled_criteria.reversible,
        )
        return [measure(material, "inventory").outcome for measure in measures]

    assert outcomes() == [Outcome.UNKNOWN] * 3
    drilled(Kind.PROVISION, seconds=600, days_ago=3)
    drilled(Kind.ROLLBACK, seconds=0.1, days_ago=3)
    drilled(Kind.PROBE, name="trace")
    drilled(Kind.PROBE, name="red")
    assert outcomes() == [Outcome.PASS, Outcome.UNKNOWN, Outcome.PASS]
    drilled(Kind.PROBE, name="alert", days_ago=31)
    assert outcomes()[1] is Outcome.UNKNOWN, "too old"
    drilled(Kind.PROBE, name="alert", days_ago=3)
    assert outcomes()[1] is Outcome.PASS
    drilled(Kind.PROBE, name=PROBES[0], passed=False, days_ago=0.5)
    drilled(Kind.ROLLBACK, failed=1, days_ago=0.5)
    drilled(Kind.PROVISION, seconds=7200, days_ago=0.5)
    assert outcomes() == [Outcome.FAIL] * 3, "the newest counts"


def test_an_old_way_back_is_none(measured: Measured, drilled: Callable[..., None]) -> None:
    drilled(Kind.ROLLBACK, days_ago=31)
    found = drilled_criteria.reversible(measured(), "inventory")
    assert (found.outcome, "31 d ago" in found.value) == (Outcome.FAIL, True)


def test_a_call_in_a_loop_is_found_in_the_files(
    repository: Repository, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    from monolift.registry.modules import modules

    orders = modules()["orders"]
    monkeypatch.setattr(orders, "path", str(repository.root / "modules/orders"))
    name = next(
        name
        for name, value in vars(__import__("modules.orders.requires", fromlist=["x"])).items()
        if type(value).__name__ == "InventoryProxy"
    )
    source = f"""
from modules.orders.requires import {name} as stock

def once(skus):
    for sku in stock.available(skus=skus):
        print(sku)
    return [one for one in stock.available(skus=skus)]

def looped(skus):
    for sku in skus:
        stock.available(skus=[sku])
    while stock.available(skus=skus):
        pass
    return {{sku: stock.available(skus=[sku]) for sku in skus}}

def made(skus):
    for sku in skus:
        yield lambda: stock.available(skus=[sku])
"""
    (repository.root / "modules/orders/services.py").write_text(source)
    found = looped(measured().project, "inventory")
    assert [one.place.rpartition(":")[2] for one in found] == ["11", "14"]
    assert found[0].place == "modules/orders/services.py:11"
    checks = {one.name: one for one in ready(measured(), "inventory")}
    assert checks["no N+1"].outcome is Outcome.FAIL
    assert checks["batch-first"].outcome is Outcome.PASS, "it takes several at once"
    assert checks["every operation typed"].outcome is Outcome.PASS


def test_one_at_a_time_in_a_loop_is_not_batch_first(measured: Measured) -> None:
    line = Line(operation="catalog.product", place="x.py:7", requests=1, most=5)
    checks = {one.name: one for one in ready(measured(Seen(lines=[line])), "catalog")}
    told = "catalog.product takes one thing at a time, and x.py:7 asks for several: let it take a"
    assert any(told in one for one in checks["batch-first"].found)


def test_a_command_without_a_key_is_told(measured: Measured) -> None:
    checks = {one.name: one for one in ready(measured(), "payments")}
    assert checks["every command keyed"].outcome is Outcome.FAIL
    assert "is keyed=False" in checks["every command keyed"].found[0]
    assert checks["no N+1"].outcome is Outcome.UNKNOWN
