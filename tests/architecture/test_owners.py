"""CODEOWNERS says what the modules say."""

from pathlib import Path

import pytest

from monolift.boundaries.owners import OwnerUnknown, codeowners, main, owner_of

ROOT = Path(__file__).parents[2]
SETTINGS = """
[tool.monolift.codeowners]
organisation = "acme"

[tool.monolift.codeowners.paths]
"*" = "maintainers"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two modules."""
    (tmp_path / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    for module, owner in {"orders": "team-checkout", "inventory": "team-supply"}.items():
        apps = tmp_path / "modules" / module / "apps.py"
        apps.parent.mkdir(parents=True)
        apps.write_text(
            f'class A(Module):\n    name = "modules.{module}"\n    owner: str = "{owner}"\n',
            encoding="utf-8",
        )
    return tmp_path


def test_this_repository_is_current() -> None:
    assert main(["--root", str(ROOT), "--check"]) == 0


def test_modules_follow_the_general_paths(project: Path) -> None:
    """The last match wins, so a module's own line must come after `*`."""
    text = codeowners(root=project, organisation="acme", paths={"*": "maintainers"})
    assert text.splitlines()[1:] == [
        "*                   @acme/maintainers",
        "/modules/inventory/ @acme/team-supply",
        "/modules/orders/    @acme/team-checkout",
    ]


def test_a_drift_fails_and_names_the_command(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--root", str(project)]) == 0
    assert main(["--root", str(project), "--check"]) == 0
    apps = project / "modules" / "orders" / "apps.py"
    apps.write_text(apps.read_text("utf-8").replace("team-checkout", "team-money"), "utf-8")
    assert main(["--root", str(project), "--check"]) == 1
    message = capsys.readouterr().err
    assert "-/modules/orders/    @acme/team-checkout" in message
    assert "make codeowners" in message


def test_a_missing_file_is_a_drift(project: Path) -> None:
    assert main(["--root", str(project), "--check"]) == 1


def test_a_module_without_an_owner_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    apps = project / "modules" / "orders" / "apps.py"
    apps.write_text("class A(Module):\n    owner = TEAM\n", encoding="utf-8")
    with pytest.raises(OwnerUnknown, match=r"orders/apps\.py: no owner"):
        owner_of(apps_file=apps)
    assert main(["--root", str(project)]) == 2
    assert "orders/apps.py" in capsys.readouterr().err
    assert not (project / "CODEOWNERS").exists()


def test_an_organisation_is_asked_for(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pyproject.toml").write_text("", encoding="utf-8")
    assert main(["--root", str(project)]) == 2
    assert "[tool.monolift.codeowners]" in capsys.readouterr().err
