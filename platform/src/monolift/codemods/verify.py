"""Asks Django whether the project is whole after a codemod."""

import subprocess
import sys
from pathlib import Path

_ASK = """
import os, sys
root, settings = sys.argv[1:]
sys.path[:0] = [root, os.path.join(root, "src")]
os.environ["DJANGO_SETTINGS_MODULE"] = settings
from django.core.management import execute_from_command_line
for question in (["check"], ["makemigrations", "--check", "--dry-run"]):
    print("manage.py", *question, flush=True)
    execute_from_command_line(["manage.py", *question])
"""


def verify(*, root: Path, settings: str) -> str:
    """What Django says in a fresh process that does not find the project whole; else nothing."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _ASK, str(root), settings],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stdout + done.stderr).strip() if done.returncode else ""
