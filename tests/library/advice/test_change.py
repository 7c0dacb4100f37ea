"""What git tells: how often the contract changes, what changes together, and by whom."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from monolift.contracts.declared import declared
from monolift.contracts.snapshots import text_of
from monolift.lift.advice.advice import Outcome
from monolift.lift.advice.change import apart, needed, stable
from monolift.lift.advice.history import history
from monolift.lift.advice.material import Material
from tests.library.advice.conftest import Repository

type Measured = Callable[..., Material]
INTERFACE = "modules/inventory/interface.py"
CONTRACT = "contracts/inventory/inventory.v1.json"


def snapshot(**changes: object) -> str:
    found = declared(labels=frozenset({"inventory"}))["inventory/inventory.v1.json"]
    return text_of({**found, **changes})


def test_a_contract_that_rests_is_stable(repository: Repository, measured: Measured) -> None:
    for days in (20, 80, 110, 140, 170):
        repository.commit(INTERFACE, days_ago=days)
    repository.commit("modules/inventory/services.py", days_ago=5)
    found = stable(measured(), "inventory")
    assert found.outcome is Outcome.PASS
    assert "0.8 changes a month (5 commits in 180 d), 0 breaking" in found.value


def test_a_contract_that_changes_often_is_not(repository: Repository, measured: Measured) -> None:
    for number in range(13):
        repository.commit("modules/inventory/events.py", days_ago=170 - 13 * number)
    assert stable(measured(), "inventory").outcome is Outcome.FAIL
    assert stable(measured(limits={"CONTRACT_CHANGES": 3}), "inventory").outcome is Outcome.PASS
    assert stable(measured(), "pricing").outcome is Outcome.PASS


def test_what_breaks_is_found_in_the_snapshots(repository: Repository, measured: Measured) -> None:
    repository.commit(files={CONTRACT: snapshot()}, days_ago=90)
    assert stable(measured(), "inventory").outcome is Outcome.PASS
    less = json.loads(snapshot())["operations"]
    del less["available"]
    repository.commit(files={CONTRACT: snapshot(operations=less)}, days_ago=61)
    assert stable(measured(), "inventory").outcome is Outcome.PASS, "two months ago"
    repository.commit(files={CONTRACT: snapshot()}, days_ago=40)
    assert stable(measured(), "inventory").outcome is Outcome.PASS, "an addition is none"
    repository.commit(files={CONTRACT: snapshot(operations=less)}, days_ago=20)
    found = stable(measured(), "inventory")
    assert found.outcome is Outcome.FAIL
    assert "1 breaking (inventory/inventory.v1.json: available was removed)" in found.value


def test_a_young_history_is_not_enough(tmp_path: Path, measured: Measured) -> None:
    material = measured()
    repository = Repository(tmp_path / "project")
    repository.git("checkout", "-q", "--orphan", "young")
    repository.commit(INTERFACE, days_ago=30)
    found = stable(material, "inventory")
    assert found.outcome is Outcome.UNKNOWN
    assert "the history goes back 30 d, and 60 d are needed" in found.value


def test_a_shallow_clone_says_so(
    repository: Repository, measured: Measured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for number in range(12):
        repository.commit("modules/inventory/models.py", days_ago=100 - number)
    shallow = tmp_path / "shallow"
    repository.git("clone", "-q", "--depth", "3", f"file://{repository.root}", str(shallow))
    monkeypatch.chdir(shallow)
    material = measured()
    for criterion in (stable, apart, needed):
        found = criterion(material, "inventory")
        assert found.outcome is Outcome.UNKNOWN
        assert "the clone is shallow" in found.value
        assert "git fetch --unshallow" in found.value
    monkeypatch.chdir(repository.root)
    assert apart(measured(), "inventory").outcome is Outcome.PASS


def test_no_git_at_all_says_so(
    repository: Repository, measured: Measured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    repository.root.joinpath(".git").rename(tmp_path / "elsewhere")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    found = apart(measured(), "inventory")
    assert (found.outcome, "has no git history" in found.value) == (Outcome.UNKNOWN, True)


@pytest.mark.parametrize(("shared", "outcome"), [(1, Outcome.PASS), (3, Outcome.FAIL)])
def test_co_change_is_a_share_of_commits(
    repository: Repository, measured: Measured, shared: int, outcome: Outcome
) -> None:
    for number in range(17):
        other = ["modules/pricing/models.py"] if number < shared else []
        repository.commit("modules/inventory/models.py", *other, days_ago=100 - number)
    # None of these counts: too old, a mass edit, only the other, and no module at all.
    repository.commit("modules/inventory/a.py", "modules/pricing/a.py", days_ago=181)
    mass = [f"modules/{name}/{n}.py" for n in range(16) for name in ("inventory", "pricing")]
    repository.commit(*mass, days_ago=5)
    repository.commit("modules/pricing/b.py", "modules/orders/b.py", days_ago=4)
    repository.commit("modules/inventory/c.py", "docs/c.md", days_ago=3)
    found = apart(measured(), "inventory")
    assert found.outcome is outcome
    assert f"({shared} of 18 commits, most with pricing: {shared}; 1 mass edit left out)" in (
        found.value
    )


def test_commits_of_one_ticket_are_one_change(repository: Repository, measured: Measured) -> None:
    for number in range(10):
        message = f"INV-{number}: half"
        repository.commit("modules/inventory/models.py", days_ago=50 - number, message=message)
        repository.commit("modules/pricing/models.py", days_ago=50 - number, message=message)
    assert apart(measured(), "inventory").outcome is Outcome.PASS
    found = apart(measured(limits={"TICKET": "INV-[0-9]+"}), "inventory")
    assert (found.outcome, found.source) == (Outcome.FAIL, "git, 180 d, by ticket")
    assert "100 % (10 of 10 commits" in found.value


def test_few_commits_tell_nothing(repository: Repository, measured: Measured) -> None:
    repository.commit("modules/inventory/models.py")
    found = apart(measured(), "inventory")
    assert (found.outcome, "too few, 10 are needed" in found.value) == (Outcome.UNKNOWN, True)


def test_names_with_odd_characters_and_merges(repository: Repository) -> None:
    repository.commit("modules/inventory/ümlaut name.py", days_ago=3)
    repository.git("checkout", "-q", "-b", "side", "HEAD~1")
    repository.commit("modules/pricing/x.py", days_ago=2)
    repository.git(
        *("-c", "user.name=x", "-c", "user.email=x@x.example"),
        *("merge", "-q", "--no-ff", "-m", "Merge", "main"),
    )
    found = history(repository.root, days=100, mass_edit=30)
    assert [sorted(one.files) for one in found.commits] == [
        ["modules/pricing/x.py"],
        ["modules/inventory/ümlaut name.py"],
    ]


def test_a_project_in_a_folder_of_the_repository(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, measured: Measured
) -> None:
    below = {"shop/pyproject.toml": '[tool.monolift]\nmodules = ["modules.*"]\n'}
    repository.commit("shop/modules/inventory/__init__.py", files=below)
    for _ in range(12):
        repository.commit("shop/modules/inventory/models.py", "modules/pricing/models.py")
    monkeypatch.chdir(repository.root / "shop")
    found = apart(measured(), "inventory")
    assert (found.outcome, "0 of 13 commits" in found.value) == (Outcome.PASS, True)


def test_a_team_that_has_the_module_to_itself(repository: Repository, measured: Measured) -> None:
    for number in range(12):
        repository.commit("modules/inventory/models.py", author=f"supply{number % 3}")
    for _ in range(3):
        repository.commit("modules/orders/models.py", author="checkout")
    repository.commit("modules/inventory/models.py", author="checkout")
    found = needed(measured(), "inventory")
    assert found.outcome is Outcome.PASS
    assert "3 of team-supply with 92 % of the commits" in found.value
    assert needed(measured(limits={"TEAM": 4}), "inventory").outcome is Outcome.FAIL


def test_a_module_that_everybody_changes_has_no_team(
    repository: Repository, measured: Measured
) -> None:
    for number in range(12):
        repository.commit("modules/inventory/models.py", author=f"p{number % 4}")
        repository.commit("modules/orders/models.py", "modules/orders/x.py", author="p3")
    found = needed(measured(), "inventory")
    assert (found.outcome, "75 %" in found.value) == (Outcome.FAIL, True)


def test_a_written_need_is_a_need(measured: Measured, settings: Settings) -> None:
    material = measured()
    settings.MONOLIFT = {**settings.MONOLIFT, "NEEDS": {"inventory": "PCI scope: ADR 0060"}}
    found = needed(material, "inventory")
    assert (found.outcome, found.value) == (Outcome.PASS, "written: PCI scope: ADR 0060")
    assert needed(material, "pricing").outcome is Outcome.UNKNOWN
