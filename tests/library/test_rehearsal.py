"""Rehearsal: calls as if their module were elsewhere, and the report of what would hurt."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from monolift import Composition, deadline, part, use
from monolift.kernel import Unavailable
from monolift.lift.rehearsal import adapter, record
from monolift.lift.rehearsal.report import Report, collect
from monolift.registry import topology as registry
from monolift.registry.places import REHEARSAL, Rehearsal, Topology
from monolift.registry.scope import Scope, entered
from monolift.registry.topology import install, topology
from monolift.sagas.plan import group_at
from tests.doubles import answering
from tests.library.running import MONOLIFT, ROOT, environment, eventually, get, monolift, running
from tests.library.world.sales.sagas import Selling
from tests.library.world.stock.interface import Level, SoldOut, Stock

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

CALM = Rehearsal(modules=("stock",), latency=0, refused=0, lost=0, twice=0)


@pytest.fixture(autouse=True)
def home() -> Iterator[None]:
    yield
    registry.reset()
    record._begin_anew("")


def rehearse(folder: Path, **moods: float) -> Rehearsal:
    """Let stock be rehearsed in this process from now on."""
    plan = replace(CALM, folder=str(folder), **moods)  # type: ignore[arg-type]  # seed is an int
    install(replace(topology(), epoch=topology().epoch + 1, rehearsal=plan))
    return plan


def reported(plan: Rehearsal) -> Report:
    record._recorder.write(last=True)
    return collect(plan)


def request(name: str = "GET /") -> entered:
    """As a request would: its calls belong together."""
    scope = Scope(None, None, None)
    scope.kind, scope.operation = "request", name
    return entered(scope)


def test_the_answers_are_the_same(tmp_path: Path) -> None:
    rehearse(tmp_path)
    stock = use(Stock)
    stock.fill(sku="a")
    stock.hold(sku="a", quantity=3)
    assert stock.levels(skus=["a"]) == {"a": Level(left=7, held=3)}
    with pytest.raises(SoldOut) as caught:
        stock.hold(sku="a", quantity=8)
    assert caught.value.fields == {"sku": "a", "left": 7}


def test_an_override_is_rehearsed_too(tmp_path: Path) -> None:
    plan = rehearse(tmp_path)

    with answering(Stock, levels={}):
        assert use(Stock).levels(skus=["a"]) == {}
    assert reported(plan).calls == 1


def test_one_that_ends_while_a_call_looks_for_its_way_fails_no_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(Stock).fill(sku="a")
    rehearse(tmp_path)

    def ended() -> Topology:
        install(replace(topology(), epoch=topology().epoch + 1, rehearsal=None))
        return topology()

    monkeypatch.setattr(adapter, "topology", ended)
    assert use(Stock).levels(skus=["a"])["a"].left == 10


def test_no_step_that_calls_it_is_fused(tmp_path: Path) -> None:
    shared = topology().alias("stock") == topology().alias("sales")
    assert bool(group_at(Selling, 0)) == shared  # databases apart never fuse
    rehearse(tmp_path)
    assert not group_at(Selling, 0)


@pytest.mark.parametrize(
    "moods",
    [
        {"lost": 0.3, "seed": 3},
        {"twice": 1.0},
        {"refused": 0.3, "lost": 0.3, "twice": 0.3, "seed": 11},
    ],
    ids=["lost", "twice", "all"],
)
def test_every_effect_happens_once_at_most(tmp_path: Path, moods: dict[str, float]) -> None:
    rehearse(tmp_path, **moods)
    stock = use(Stock)
    sent = acknowledged = 0
    while acknowledged == 0:
        with suppress(Unavailable):
            stock.fill(sku="a", quantity=1000)
            acknowledged = 1
    registry.reset()
    filled = use(Stock).levels(skus=["a"])["a"].left
    rehearse(tmp_path, **moods)
    acknowledged = 0
    for _ in range(60):
        sent += 1
        with suppress(Unavailable):
            stock.hold(sku="a", quantity=1)
            acknowledged += 1
    registry.reset()
    held = use(Stock).levels(skus=["a"])["a"].held
    assert filled >= 1000
    assert acknowledged <= held <= sent
    assert acknowledged


def test_what_is_refused_did_not_happen(tmp_path: Path) -> None:
    use(Stock).fill(sku="a")
    rehearse(tmp_path, refused=1.0)
    with pytest.raises(Unavailable, match="refused, as rehearsed"):
        use(Stock).hold(sku="a", quantity=1)
    registry.reset()
    assert use(Stock).levels(skus=["a"])["a"].held == 0


def test_a_seed_gives_the_same_moods_again(tmp_path: Path) -> None:
    def moods(folder: str) -> dict[str, int]:
        plan = rehearse(tmp_path / folder, lost=0.2, refused=0.2, seed=5)
        for _ in range(30):
            with suppress(Unavailable):
                use(Stock).levels(skus=["a"])
        return reported(plan).operations["stock.levels"].moods

    first = moods("one")
    assert first
    assert moods("two") == first


def test_a_deadline_holds_through_the_wire(tmp_path: Path) -> None:
    rehearse(tmp_path)
    with deadline(seconds=-1), pytest.raises(Unavailable, match="deadline"):
        use(Stock).levels(skus=["a"])


def test_it_ends_by_the_clock(tmp_path: Path) -> None:
    plan = rehearse(tmp_path, refused=1.0, until=1.0)
    assert use(Stock).levels(skus=["a"]) == {}
    assert reported(plan).calls == 0


def test_a_loop_is_told_with_its_line(tmp_path: Path) -> None:
    plan = rehearse(tmp_path, latency=0.001)
    with request("GET /basket"):
        for number in range(5):
            use(Stock).levels(skus=[str(number)])
    with request("GET /"):
        use(Stock).levels(skus=["a"])
    use(Stock).levels(skus=["in no request"])
    report = reported(plan)
    called = report.operations["stock.levels"]
    assert (called.calls, called.per_request) == (7, {5: 1, 1: 1})
    loop, chatty = report.hurts
    assert (loop.kind, chatty.kind) == ("loop", "chatty")
    line = 1 + Path(__file__).read_text().splitlines().index(
        "            use(Stock).levels(skus=[str(number)])"
    )
    assert loop.place == f"tests/library/test_rehearsal.py:{line}"
    assert "5 calls in one request (GET /basket)" in loop.what


def test_silence_without_a_stand_in_and_large_answers_are_told(tmp_path: Path) -> None:
    plan = rehearse(tmp_path, refused=1.0)
    page = Composition("rehearsal")
    optional = part(use(Stock).levels, of=[page], otherwise={}, without="no levels")
    assert optional(skus=["a"]) == {}
    assert reported(plan).hurts == ()
    with pytest.raises(Unavailable):
        use(Stock).levels(skus=["a"])
    (hurt,) = reported(plan).hurts
    assert hurt.kind == "silence"
    assert "Unavailable reached this line" in hurt.what
    plan = rehearse(tmp_path / "large")
    use(Stock).levels(skus=["a" * 70_000])
    (hurt,) = reported(plan).hurts
    assert (hurt.kind, hurt.what) == ("large", "up to 68 KiB in one call: give a page at a time")


def test_a_module_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REHEARSAL, '{"modules": ["attic"]}')
    registry.reset()
    with pytest.raises(ImproperlyConfigured, match="'attic' is to be rehearsed and is not an"):
        topology()


SCRIPT = """
import django
django.setup()
from monolift import use
from modules.pricing.interface import Pricing
use(Pricing).destinations()
"""


def test_a_command_is_rehearsed_and_gives_its_exit_code() -> None:
    env = environment(DJANGO_SETTINGS_MODULE="config.settings", PYTHONPATH=str(ROOT))
    words = ("rehearse", "--seed", "7", "--format", "json", "pricing", "--")
    done = monolift(*words, sys.executable, "-c", SCRIPT + "raise SystemExit(3)", env=env)
    assert done.returncode == 3, done.stderr
    report = json.loads(done.stdout)
    assert report["operations"]["pricing.destinations"]["calls"] == 1
    assert (report["modules"], report["seed"]) == (["pricing"], 7)


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (("--lost", "101", "stock", "--", "true"), 2, "'101' is not a number from 0 to 100"),
        (("stock", "--", "no-such-command"), 1, "no-such-command cannot be started"),
        (("--for", "1", "attic"), 1, "There is no module 'attic'"),
    ],
    ids=["share", "command", "module"],
)
def test_what_cannot_be_rehearsed_is_named(words: tuple[str, ...], code: int, problem: str) -> None:
    done = monolift("rehearse", *words)
    assert done.returncode == code
    assert problem in done.stderr


def test_a_running_shop_is_rehearsed_for_a_while() -> None:
    with running() as shop:
        shop.wait_until_ready()
        env = {**shop.env, "MONOLIFT_DATA": str(shop.data)}
        words = ("rehearse", "--for", "4", "--format", "json", "profiles,catalog")
        with subprocess.Popen(
            [MONOLIFT, *words], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
        ) as rehearsal:
            eventually(lambda: get(f"{shop.url}/products")[0] == 200)
            while rehearsal.poll() is None:
                assert get(f"{shop.url}/products/none")[0] in (404, 503)
            assert rehearsal.stdout is not None
            report = json.loads(rehearsal.stdout.read())
        assert rehearsal.returncode == 0
        assert report["operations"]["catalog.product"]["calls"]
        assert shop.stop(signal.SIGINT) == 0
