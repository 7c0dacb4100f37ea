"""How each module was last tested alone, in a folder of the project that git ignores.

    .monolift_cache/alone/<label>.json

Written by the pytest plugin at the end of a run with `--only-module` that passed.
"""

from pathlib import Path

import msgspec

from monolift.boundaries.check import CACHE
from monolift.observe.files import put


class AloneRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    at: float
    """When it ended, in seconds since 1970."""
    tests: int
    processes: int
    """Processes with the project's code that it took: its own, and those that it started."""


def keep(root: Path, label: str, tested: AloneRun) -> None:
    """Remember it. Raises OSError."""
    put(_folder(root) / f"{label}.json", msgspec.json.encode(tested))


def records(root: Path) -> dict[str, AloneRun]:
    """The last run of each module; what cannot be read is not there."""
    found = {}
    for file in sorted(_folder(root).glob("*.json")):
        try:
            found[file.stem] = msgspec.json.decode(file.read_bytes(), type=AloneRun)
        except (OSError, msgspec.DecodeError):
            continue
    return found


def _folder(root: Path) -> Path:
    return root / CACHE / "alone"
