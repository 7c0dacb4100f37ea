"""Finds the servers that are installed on this machine."""

import shutil
import sys
from pathlib import Path

from monolift.supervise.preflight import Refused

_FOLDERS = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # Red Hat and its kin
    "/opt/homebrew/opt/postgresql@*/bin",  # macOS on ARM
    "/opt/homebrew/opt/*/bin",
    "/usr/local/opt/postgresql@*/bin",  # macOS on Intel
    "/usr/local/opt/*/bin",
)
_INSTALL = {
    "linux": "Debian, Ubuntu: apt-get install postgresql redis-server",
    "darwin": "macOS: brew install postgresql@17 redis",
}


def program(name: str, *, version: str = "") -> Path:
    """The path of a program: of that major version, else from PATH, else the newest found.

    Refused, with the command that installs it, when there is none.
    """
    found = [path for pattern in _FOLDERS for path in Path("/").glob(f"{pattern[1:]}/{name}")]
    if version:
        for path in found:
            if path.parts[-3].rpartition("@")[2].removeprefix("pgsql-") == version:
                return path
    if in_path := shutil.which(name):
        return Path(in_path)
    if found:
        return max(found, key=_version)
    command = _INSTALL.get(sys.platform) or "; ".join(_INSTALL.values())
    raise Refused(
        f"{name} is missing. The full stack needs PostgreSQL 15 or later and Redis. {command}."
    )


def _version(path: Path) -> tuple[int, ...]:
    number = path.parts[-3].rpartition("@")[2].removeprefix("pgsql-")
    return tuple(int(part) for part in number.split(".") if part.isdigit())
