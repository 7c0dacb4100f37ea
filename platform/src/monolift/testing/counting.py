"""How many processes with the project's code the tests of a module start."""

import os
import sys
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

_PROGRAMS = frozenset(("manage.py", "monolift", "granian", "gunicorn", "uvicorn", "celery"))
_started = 0


def count_processes() -> None:
    """Begin to count."""
    sys.addaudithook(_heard)


def processes() -> int:
    """Those that were started since, and this one."""
    return 1 + _started


def _heard(event: str, details: tuple[Any, ...]) -> None:
    global _started
    if event == "subprocess.Popen" and _runs_the_project(details[1]):
        _started += 1


def _runs_the_project(command: str | bytes | Iterable[Any]) -> bool:
    words = [command] if isinstance(command, str | bytes) else list(command)
    return any(
        PurePath(word).name in _PROGRAMS or word.startswith("monolift.")
        for word in (os.fsdecode(one) for one in words)
    )
