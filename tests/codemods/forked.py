"""Python programs in processes forked from one that has Django loaded: no start to pay for each."""

import multiprocessing
import os
import runpy
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
# What may be imported before there are settings: nothing of the project.
_context.set_forkserver_preload(
    [
        "tests.codemods.forked",
        "django.contrib.admin.options",
        "django.core.management.commands.makemigrations",
        "django.core.management.commands.migrate",
        "django.db.backends.sqlite3.base",
        "django.db.backends.postgresql.base",
        "django.test.runner",
    ]
)


def run(folder: Path, environment: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    """Run `python ARGUMENTS`, a script or `-c CODE`, to its end; its exit code and output."""
    with tempfile.NamedTemporaryFile("r") as output:
        child = _context.Process(
            target=_become, args=(str(folder), dict(environment), arguments, output.name)
        )
        child.start()
        child.join(120)
        if child.exitcode is None:
            child.kill()
            child.join()
        return child.exitcode or 0, output.read()


def _become(
    folder: str, environment: dict[str, str], arguments: Sequence[str], output: str
) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    file = os.open(output, os.O_WRONLY)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.dont_write_bytecode = True
    sys.path.insert(0, folder)
    if arguments[0] == "-c":
        sys.argv = ["-c", *arguments[2:]]
        exec(arguments[1], {"__name__": "__main__"})
    else:
        sys.argv = list(arguments)
        runpy.run_path(arguments[0], run_name="__main__")
