"""Ejecting a module in a process of its own, as a person does it."""

import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.library.running import ROOT, environment

BIN = Path(sys.executable).parent


def manage(*arguments: str, folder: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
    """`manage.py ARGUMENTS` in a folder."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        text=True,
        check=False,
    )


def ejected(module: str, folder: Path, *arguments: str, project: Path = ROOT) -> str:
    """Eject it into a folder, the library from this checkout; what was said."""
    done = manage(
        *("monolift", "eject", module, "--to", str(folder)),
        *("--monolift", str(ROOT / "platform")),
        *arguments,
        folder=project,
        MONOLIFT_DATA=str(folder.parent / "var"),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def copied(folder: Path, *more: str) -> Path:
    """The project as git knows it, in a folder that is made; and `more` of what it has."""
    listed = subprocess.run(
        ["git", "ls-files", "modules", "config", "contracts", "manage.py", *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.split():
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def deployed_again(folder: Path, workflow: str, *, image: str) -> None:
    """Run what a workflow writes manifests with, in a folder that is as it was checked out."""
    steps = yaml.safe_load((folder / workflow).read_text())["jobs"]["deploy"]["steps"]
    (step,) = [one for one in steps if "monolift manifests" in one.get("run", "")]
    (folder / ".venv").symlink_to(BIN.parent)
    done = subprocess.run(
        ["sh", "-ec", step["run"]],
        cwd=folder,
        env=environment(IMAGE=image, **step["env"]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def texts(folder: Path) -> dict[Path, bytes]:
    """What the files in a folder say, by where they are in it."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder): path.read_bytes() for path in found}


def make(target: str, folder: Path, *variables: str) -> subprocess.CompletedProcess[str]:
    """`make TARGET` there, in the environment of this checkout."""
    return subprocess.run(
        ["make", target, f"BIN={BIN}", *variables],
        cwd=folder,
        env=environment(MONOLIFT_DATA=str(folder.parent / "made")),
        capture_output=True,
        text=True,
        check=False,
    )
