"""What `monolift run` tells commands beside it: the environment of its processes.

It stands in the data folder while the run holds that folder's lock. A run that is killed leaves
the file behind, and its ports and servers are gone; its lock was freed by the system.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path

LOCK = "run.lock"
"""In the data folder: held while a run uses it."""
_RUN = "run.json"


def tell(folder: Path, environment: Mapping[str, str]) -> None:
    """Let commands beside the run know."""
    fresh = folder / f"{_RUN}.new"
    fresh.write_text(json.dumps(dict(environment)))
    fresh.replace(folder / _RUN)


def forget(folder: Path) -> None:
    """Take back what this run told, or one that was killed. Only who holds the lock may."""
    (folder / _RUN).unlink(missing_ok=True)


def told(folder: Path) -> dict[str, str]:
    """The environment of the processes that run on a data folder now; empty when none do."""
    if not (folder / _RUN).exists() or not _held(folder / LOCK):
        return {}
    try:
        environment: dict[str, str] = json.loads((folder / _RUN).read_text())
    except FileNotFoundError:  # it has just ended
        return {}
    return environment


def _held(lock: Path) -> bool:
    try:
        file = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(file)
