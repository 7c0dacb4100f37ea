"""The verbs, one file each.

A file `verbs/<verb>.py` is found by its name (`_` in it is `-` in the verb). Its docstring's first
line is the help, and it has

    NEEDS_DJANGO = True                                   # False: runs in a bare interpreter
    def add_arguments(parser: ArgumentParser) -> None     # options, or subcommands
    def run(options: Namespace) -> int                    # the exit code

It imports Django, the project and whatever is heavy inside its functions, so that `--help` and the
verbs that need no Django stay quick.

Exit codes, the same for every verb: 0 it is done; 1 it cannot be done, and one line says why and
what to do; 2 the command line is wrong. A verb raises `monolift.management.errors.VerbError` for 1.
"""

from argparse import ArgumentParser, Namespace
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast


class Verb(Protocol):
    """What a file of this folder has."""

    __doc__: str | None
    NEEDS_DJANGO: bool

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options."""
        ...

    def run(self, options: Namespace) -> int:
        """Do it; the exit code."""
        ...


def names() -> list[str]:
    """The verbs there are."""
    files = Path(__file__).parent.glob("*.py")
    return sorted(file.stem.replace("_", "-") for file in files if file.stem != "__init__")


def load(name: str) -> Verb:
    """The verb of that name, one of `names()`."""
    return cast("Verb", import_module(f"{__name__}.{name.replace('-', '_')}"))


def summary(verb: Verb) -> str:
    """One line of help."""
    return (verb.__doc__ or "").strip().partition("\n")[0].rstrip(".")
