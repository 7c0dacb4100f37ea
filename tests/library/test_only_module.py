"""`pytest --only-module`: what is booted, who answers, and what is refused."""

import subprocess
import sys
from pathlib import Path

import pytest

from monolift.lift.advice.tested import records

ROOT = Path(__file__).parents[2]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run pytest in a process of its own, from the project's folder."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "0", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A file of tests about the process that runs them."""
    path = tmp_path / "test_alone.py"
    path.write_text("""
import sys
import pytest
from django.apps import apps
from modules.notifications.interface import Notifications
from modules.pricing.interface import ListPrice, NoPrice, Pricing, QuoteLine
from monolift import Money, use
from monolift.kernel import CallFailed
from monolift.registry.modules import modules
from monolift.testing.alone import NotAlone


def test_one_module_is_there():
    assert set(modules()) == {"inventory"}
    assert apps.is_installed("django.contrib.admin")
    inside = [name.split(".") for name in sys.modules if name.startswith("modules.")]
    assert {name[1] for name in inside if {"models", "services"} & {*name}} == {"inventory"}


def quoted():
    lines = [QuoteLine(sku="MUG", quantity=1)]
    return use(Pricing).quote(lines=lines, currency="EUR")


def test_a_fake_answers():
    price = ListPrice(sku="MUG", unit=Money.of("2.00", "EUR"))
    use(Pricing).set_prices(prices=[price])
    assert quoted().total == Money.of("2.00", "EUR")


def test_the_next_test_has_a_new_one():
    with pytest.raises(NoPrice):
        quoted()


def test_a_call_passes_the_codec():
    with pytest.raises(CallFailed, match=r"skus.0"):
        use(Pricing).prices(skus=[3], currency="EUR")


def test_who_has_no_fake_says_what_to_write():
    with pytest.raises(NotAlone, match="class FakeNotifications.Notifications. in "
                                       "modules.notifications.fakes, or mark"):
        use(Notifications).mails(order_id="")


@pytest.mark.together
def test_that_needs_the_others():
    raise AssertionError
""")
    return path


def test_one_module_boots_and_fakes_answer_for_the_others(written: Path) -> None:
    ended = run("--only-module", "inventory", written)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "5 passed, 1 deselected" in ended.stdout


def test_what_passed_alone_is_remembered_with_its_processes(written: Path) -> None:
    folder = written.parent / "project"
    folder.mkdir()
    starts = folder / "test_starts.py"
    starts.write_text(
        "import subprocess, sys\n\n"
        "def test_it_starts_two_processes_of_the_project():\n"
        '    subprocess.run([sys.executable, "-c", "pass", "manage.py"], check=True)\n'
        '    subprocess.run([sys.executable, "-c", "pass"], check=True)\n'
        '    subprocess.run([sys.executable, "-m", "monolift.management", "--help"], check=True)\n'
    )
    ended = run("--only-module", "inventory", "--rootdir", folder, starts)
    assert ended.returncode == 0, ended.stdout
    kept = records(folder)["inventory"]
    assert (kept.tests, kept.processes) == (1, 3)
    starts.write_text("def test_it_fails():\n    assert False\n")
    assert run("--only-module", "pricing", "--rootdir", folder, starts).returncode == 1
    assert [*records(folder)] == ["inventory"], "only what passed"


def test_an_unknown_module_is_named_beside_those_there_are() -> None:
    ended = run("--only-module", "nope")
    assert ended.returncode == 4
    assert "--only-module nope: there is no such module. Installed: cards, catalog" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_its_tests_must_be_somewhere() -> None:
    ended = run("--only-module", "inventory", "-o", "monolift_module_tests=src/{module}/tests")
    assert ended.returncode == 4
    assert "src/inventory/tests does not exist" in ended.stderr


def test_the_fake_takes_part_in_the_tests_of_the_real_one(tmp_path: Path) -> None:
    path = tmp_path / "test_fake.py"
    path.write_text("""
import pytest
from modules.pricing.fakes import FakePricing
from modules.pricing.interface import Pricing
from monolift import use

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.topologies("local", fake=Pricing),
]


def test_countries(monkeypatch):
    monkeypatch.setattr(FakePricing, "destinations", lambda self: ("XX",))
    assert "DE" in use(Pricing).destinations()


@pytest.mark.topologies("local")
def test_the_nearest_marker_counts():
    pass
""")
    ended = run(path)
    assert ended.returncode == 1
    assert "test_countries[fake]" in ended.stdout
    assert "1 failed, 2 passed" in ended.stdout
