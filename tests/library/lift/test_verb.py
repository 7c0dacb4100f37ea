"""`monolift lift` on the command line: what it refuses, in one line, and with the way out."""

from pathlib import Path

import pytest

from tests.library.running import environment, monolift


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop's folder, prepared and not running."""
    folder = tmp_path_factory.mktemp("shop")
    done = monolift("prepare", env=environment(MONOLIFT_DATA=str(folder)))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nosuch", "seal"], "There is no module 'nosuch'"),
        (["status"], "Name the module first: monolift lift MODULE status. Installed: catalog,"),
        (["storefront", "seal"], "has no [deployables.storefront]"),
        (["inventory", "bogus"], "'bogus' is no stage of this lift"),
        (["inventory", "seal", "--through", "soak"], "not both"),
        (["inventory", "resume"], "No lift of inventory is open"),
        (["inventory", "land"], "inventory is at home"),
    ],
    ids=["module", "no module", "undeclared", "stage", "both", "resume", "land"],
)
def test_what_cannot_be_done_is_said_in_a_line(
    data: Path, arguments: list[str], problem: str
) -> None:
    done = monolift("lift", *arguments, env=environment(MONOLIFT_DATA=str(data)))
    assert done.returncode == 1
    assert problem in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_without_tables_it_says_what_to_do(tmp_path: Path) -> None:
    done = monolift("lift", "inventory", "land", env=environment(MONOLIFT_DATA=str(tmp_path)))
    assert done.returncode == 1
    assert "A database gave no answer: no such table" in done.stderr
    assert "monolift prepare" in done.stderr


def test_a_dry_run_changes_nothing(data: Path) -> None:
    env = environment(MONOLIFT_DATA=str(data))
    before = {path.name: path.stat().st_size for path in data.glob("*.sqlite3")}
    done = monolift("lift", "inventory", "seal", "--dry-run", env=env)
    assert done.returncode == 0, done.stderr
    assert "ALTER TABLE" in done.stdout
    assert "monolift_moved_inventory_stock" in done.stdout
    assert {path.name: path.stat().st_size for path in data.glob("*.sqlite3")} == before
    assert "It was never lifted" in monolift("lift", "inventory", env=env).stdout


def test_sealed_and_landed_with_nothing_running(data: Path) -> None:
    env = environment(MONOLIFT_DATA=str(data))
    for step in ("seal", "land"):
        done = monolift("lift", "inventory", step, "--despite", env=env)
        assert done.returncode == 0, done.stderr
    assert "It is at home." in done.stdout
    refused = monolift("lift", "inventory", "remote", "--despite", env=env)
    assert refused.returncode == 1
    assert "Nothing says where inventory is reached" in refused.stderr
