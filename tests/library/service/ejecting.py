"""Ejecting a module in a process of its own, as a person does it."""

import subprocess
import sys
from pathlib import Path

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


def ejected(module: str, folder: Path) -> str:
    """Eject it into a folder, the library from this checkout; what was said."""
    done = manage(
        *("monolift", "eject", module, "--to", str(folder)),
        *("--monolift", str(ROOT / "platform")),
        MONOLIFT_DATA=str(folder.parent / "var"),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def make(target: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """`make TARGET` there, in the environment of this checkout."""
    return subprocess.run(
        ["make", target, f"BIN={BIN}"],
        cwd=folder,
        env=environment(MONOLIFT_DATA=str(folder.parent / "made")),
        capture_output=True,
        text=True,
        check=False,
    )
