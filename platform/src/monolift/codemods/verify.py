"""Asks Django whether the project is whole after a codemod."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_QUESTIONS = (
    ("check",),
    ("makemigrations", "--check", "--dry-run"),
)


def verify(*, root: Path, settings: str) -> Iterator[tuple[str, str]]:
    """The commands that fail in a fresh process, each with what it printed."""
    for question in _QUESTIONS:
        code = (
            "import os, sys\n"
            f"sys.path[:0] = {[str(root), str(root / 'src')]!r}\n"
            f"os.environ['DJANGO_SETTINGS_MODULE'] = {settings!r}\n"
            "from django.core.management import execute_from_command_line\n"
            f"execute_from_command_line(['manage.py', *{list(question)!r}])\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
        )
        if done.returncode:
            yield " ".join(question), (done.stdout + done.stderr).strip()
