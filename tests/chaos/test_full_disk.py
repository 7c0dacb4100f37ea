"""A full disk: nothing acknowledged is lost, and when there is room it goes on by itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.library.running import ROOT

EVENTS = max(int(os.environ.get("MONOLIFT_CHAOS_EVENTS", "0")) // 10, 600)
_IN_A_NAMESPACE = ("unshare", "--map-root-user", "--mount")


def _may_mount() -> bool:
    """Whether this machine lets a process have a file system of its own."""
    try:
        return (
            subprocess.run(
                [*_IN_A_NAMESPACE, "true"], check=False, stderr=subprocess.DEVNULL
            ).returncode
            == 0
        )
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not _may_mount(), reason="unshare --mount is not possible here")
def test_no_acknowledged_write_is_lost(tmp_path: Path) -> None:
    """Publisher, relay, worker and saga; attempts as in production, so none may be used up."""
    disk = tmp_path / "disk"
    disk.mkdir()
    megabytes = 8 + EVENTS // 200
    mount = f"mount -t tmpfs -o size={megabytes}m,mode=755 disk {disk}"
    script = f"{mount} && exec {sys.executable} -m tests.chaos.full_disk {disk} {EVENTS}"
    done = subprocess.run(
        [*_IN_A_NAMESPACE, "sh", "-c", script],
        cwd=ROOT,
        env={**os.environ, "MONOLIFT_CHAOS_ATTEMPTS": "8"},
        capture_output=True,
        text=True,
        check=False,
    )
    sys.stdout.write(done.stdout)
    assert done.returncode == 0, done.stderr
