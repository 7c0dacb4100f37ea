"""What `monolift startmodule` writes passes every guard without another edit."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monolift.codemods.tree import Tree
from monolift.scaffold.errors import ScaffoldError
from monolift.scaffold.start import Wanted, plan

ROOT = Path(__file__).parents[2]
PLAIN = ROOT / "tests" / "docs" / "assets" / "adopt"
BIN = Path(sys.executable).parent


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy of this repository, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in listed:
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    return _committed(tmp_path)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A copy of a small project that has nothing of ours."""
    shutil.copytree(PLAIN, tmp_path, dirs_exist_ok=True)
    with (tmp_path / "mysite" / "settings.py").open("a") as settings:
        settings.write('MONOLIFT = {"CALLS_IN_TRANSACTION": "warn"}  # it has ATOMIC_REQUESTS\n')
    return _committed(tmp_path)


def _committed(folder: Path) -> Path:
    for command in ("git init -q -b main", "git add -A", "git commit -qm 'As it was'"):
        run(folder, "sh", "-c", command)
    return folder


def run(folder: Path, *command: str) -> str:
    """Run a command there, with the library of that folder if it has one; its output."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MONOLIFT_", "DJANGO_", "PYTEST_", "DATABASE_URL", "GIT_"))
    }
    library = folder / "platform" / "src"
    done = subprocess.run(
        command,
        cwd=folder,
        env=kept
        | {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(library if library.is_dir() else folder),
            "GIT_AUTHOR_NAME": "test",
            "GIT_AUTHOR_EMAIL": "test@example.org",
            "GIT_COMMITTER_NAME": "test",
            "GIT_COMMITTER_EMAIL": "test@example.org",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}"
    return done.stdout


def test_a_new_module_of_the_shop_passes_every_guard(shop: Path) -> None:
    told = run(shop, "monolift", "startmodule", "order_history", "--owner", "team-x")
    assert "modules/order_history/interface.py" in told
    python = sys.executable
    changed = run(shop, "git", "status", "--porcelain", "--untracked-files=all").split()[1::2]
    files = [name for name in changed if name.endswith(".py")]
    assert len(files) > 10
    for command in (
        ("ruff", "check", *files),
        ("ruff", "format", "--check", *files),
        ("monolift", "check"),
        (python, "manage.py", "makemigrations", "--check", "--dry-run"),
        (python, "-m", "monolift.boundaries.owners", "--check"),
        (python, "manage.py", "monolift", "docs", "--check"),
        ("mypy", *[name for name in files if not name.startswith("tests/")]),
        ("pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "tests/modules/order_history"),
    ):
        run(shop, *command)
    assert "SAFE" in run(shop, python, "manage.py", "monolift", "contracts", "check")
    differences = run(shop, "git", "diff", "config/settings.py")
    assert '+    "order_history",' in differences
    assert len([one for one in differences.splitlines() if one.startswith(("+ ", "- "))]) == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Parcels", "'Parcels' is no name for a module"),
        ("class", "'class' is a word of Python"),
        ("tests", "A folder 'tests' is part of a module"),
        ("migrations", "A folder 'migrations' is part of a module"),
        ("admin", "Django has an app that is called 'admin'"),
        ("identity", "The app 'config.identity' is called 'identity' as well"),
        ("orders", "There is a module 'orders' already"),
    ],
)
def test_a_name_that_would_not_work_is_refused(name: str, told: str) -> None:
    tree = Tree(ROOT)
    wanted = Wanted(
        name=name, owner="team-x", inside=None, above=None, below=None, settings="config.settings"
    )
    with pytest.raises(ScaffoldError, match=told):
        plan(tree, wanted)
    assert not tree.changed()


def test_a_new_module_works_in_a_plain_project(plain: Path) -> None:
    run(plain, "monolift", "startmodule", "parcels", "--owner", "team-x")
    python = sys.executable
    for command in (
        (python, "manage.py", "check"),
        (python, "manage.py", "makemigrations", "--check", "--dry-run"),
        ("pytest", "-q", "-p", "no:cacheprovider", "--ds=mysite.settings", "shop/parcels"),
    ):
        run(plain, *command)
