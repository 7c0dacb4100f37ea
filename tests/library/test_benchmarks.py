"""The benchmarks' references do the same work as what they are compared with. No times."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.paired import Comparison, compare, repeated
from benchmarks.results import Result
from benchmarks.run import ROOT, environment, own_database

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the references and the shop leave behind, on the database that the suite runs on."""
    with _database() as url:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.equivalence"],
            cwd=ROOT,
            env=environment(tmp_path_factory.mktemp("data"), url=url),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextlib.contextmanager
def _database() -> Iterator[str]:
    server = os.environ.get("DATABASE_URL", "")
    if not server:
        yield ""
        return
    with own_database(server) as url:
        yield url


# The floor ----------------------------------------------------------------------------------------


def test_the_floor_answers_with_the_same_order(facts: Any) -> None:
    shop, floor = facts["orders"]["shop"], facts["orders"]["floor"]
    assert shop == floor
    assert [line["sku"] for line in shop["lines"]] == ["MUG", "PEN", "TIN"]
    assert shop["state"] == "paid"


def test_the_floor_leaves_an_order_a_payment_an_event_and_less_stock(facts: Any) -> None:
    assert facts["floor rows"] == {
        "Basket": 1,
        "BasketLine": 3,
        "Order": 1,
        "OrderLine": 3,
        "Outbox": 1,
        "Payment": 1,
        "stock": -3,
    }


def test_the_floor_has_the_statements_it_is_known_for(facts: Any) -> None:
    assert facts["orders"]["floor statements"] == {"1": 15, "3": 17}


def test_the_shops_statements_stay_within_the_goal(facts: Any) -> None:
    assert facts["orders"]["shop statements"] <= 45


# By hand ------------------------------------------------------------------------------------------


def test_the_checkout_by_hand_leaves_the_same_rows(facts: Any) -> None:
    library, hand = facts["checkouts"]["library"], facts["checkouts"]["hand"]
    assert library["rows"] == hand["rows"]
    assert [len(rows) for rows in hand["rows"].values()] == [1, 3, 1, 1, 2, 3]


def test_the_checkout_by_hand_has_the_same_commits(facts: Any) -> None:
    assert facts["checkouts"]["library"]["commits"] == facts["checkouts"]["hand"]["commits"]


def test_the_unfused_checkout_by_hand_sends_the_same_statements(facts: Any) -> None:
    unfused = facts["unfused"]
    assert unfused["library"] == unfused["hand"]
    assert sum(len(statements) for _, statements in unfused["hand"]) > 30


@pytest.mark.parametrize("way", ["hand rows", "text rows"])
def test_the_unfused_checkout_by_hand_leaves_the_same_rows(facts: Any, way: str) -> None:
    assert facts["unfused"][way] == facts["unfused"]["library rows"]
    assert facts["unfused"][way]["order"][0]["state"] == "paid"


def test_the_saga_of_three_steps_by_hand_sends_the_same_statements(facts: Any) -> None:
    assert facts["walk"]["library"] == facts["walk"]["hand"]
    assert sum(len(statements) for _, statements in facts["walk"]["hand"]) == 14


# Reads --------------------------------------------------------------------------------------------


def test_plain_reads_send_the_same_statements_and_answer_the_same(facts: Any) -> None:
    assert facts["reads"]["shop"] == facts["reads"]["plain"]
    product, stock = facts["reads"]["plain"]
    assert [variant["sku"] for variant in product["answer"]["variants"]] == [
        "MUG",
        "MUG-RED",
        "MUG-BLUE",
    ]
    assert set(stock["answer"]) == {"MUG", "PEN", "TIN"}
    assert len(product["statements"]) == 3
    assert len(stock["statements"]) == 1


# Pages --------------------------------------------------------------------------------------------


def test_plain_pages_are_the_same_pages(facts: Any) -> None:
    pages = facts["pages"]["answers"]
    assert set(pages) == {"home", "category", "product", "search", "add to basket"}
    for name, (shop, plain) in pages.items():
        assert shop == plain, name
    assert pages["home"][0][0] == 200
    assert len(pages["home"][0][1]) > 2000
    assert pages["add to basket"][0][0] == 303


def test_the_calls_of_the_home_page_are_all_there(facts: Any) -> None:
    home = facts["pages"]["home"]
    assert home["composition"] == home["calls"]
    assert len(home["calls"]) >= 4


# Counting and judging -----------------------------------------------------------------------------


def test_statements_are_counted_at_the_driver(facts: Any) -> None:
    counted = facts["wire"]
    assert counted[:2] == ["SELECT 'a \"quoted\" word', 'django'", "SELECT\n'driver'"]
    assert counted[2:] in ([], ["SELECT 'prepared'"])


def result(value: float, *, low: float, high: float, sense: Any = "at most") -> Result:
    """A ratio whose goal is 2."""
    return Result(
        figure="f", what="w", database="-", value=value, low=low, high=high, goal=2.0,
        sense=sense, unit="x", samples=9,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [
        (result(2.0, low=1.0, high=3.0), "met"),
        (result(2.4, low=2.0, high=3.0), "within spread"),
        (result(2.6, low=2.1, high=3.0), "missed"),
        (result(1.6, low=1.5, high=1.7, sense="at least"), "missed"),
        (result(2.1, low=2.0, high=2.2, sense="at least"), "met"),
    ],
)
def test_a_goal_is_missed_by_more_than_the_spread(measured: Result, verdict: str) -> None:
    assert measured.verdict == verdict


def test_pairs_alternate_and_the_median_of_their_ratios_counts() -> None:
    order: list[str] = []

    def case(name: str, times: Iterator[float]) -> Any:
        def run() -> float:
            order.append(name)
            return next(times)

        return run

    ours, reference = iter([9.0, 2.0, 4.0, 90.0]), iter([1.0, 1.0, 2.0, 3.0])
    comparison = compare(case("ours", ours), case("reference", reference), pairs=3, warm=1)
    assert comparison.ratios == (2.0, 2.0, 30.0)
    assert comparison.value == 2.0
    assert order[2:] == ["reference", "ours", "ours", "reference", "reference", "ours"]


def test_a_ratio_of_rates_is_the_inverse() -> None:
    comparison = Comparison(ratios=(2.0, 4.0), ours=(2.0, 4.0), reference=(1.0, 1.0))
    assert comparison.inverse().ratios == (0.5, 0.25)


def test_a_repeated_call_is_made_so_many_times_with_its_arguments() -> None:
    seen: list[int] = []

    class Target:
        def note(self, *, number: int) -> None:
            seen.append(number)

    repeated(Target(), "note", times=7, arguments={"number": 3})()
    assert seen == [3] * 7


def test_what_is_measured_runs_on_none_of_the_surrounding_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MONOLIFT_TRANSPORT", "loopback")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tests.settings")
    made = environment(tmp_path)
    assert "MONOLIFT_TRANSPORT" not in made
    assert made["DJANGO_SETTINGS_MODULE"] == "benchmarks.settings"
    assert made["MONOLIFT_ENV"] == "production"
