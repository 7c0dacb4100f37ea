"""What the verbs that rewrite a project share: options, loading, showing, saving."""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from monolift.management.errors import VerbError

if TYPE_CHECKING:
    from monolift.codemods.tree import Tree

_COLOURS = {"+": "32", "-": "31", "@": "36"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every codemod."""
    parser.add_argument(
        "--settings", metavar="MODULE", help="Django's settings (default: what manage.py names)"
    )
    parser.add_argument(
        "--root", type=Path, metavar="DIR", help="folder of the project (default: of manage.py)"
    )
    parser.add_argument("--dry-run", action="store_true", help="show the diff, write nothing")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="of the diff"
    )
    parser.add_argument(
        "--force", action="store_true", help="also rewrite files that git has no copy of"
    )


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """A refusal of a codemod is a refusal of the verb."""
    from monolift.codemods.errors import CodemodError

    try:
        yield
    except CodemodError as error:
        raise VerbError(str(error)) from None
    except ModuleNotFoundError as error:
        if error.name != "libcst":
            raise
        raise VerbError(
            "Codemods need libcst. Install it: pip install 'monolift[codemods]'."
        ) from None


def open_project(options: argparse.Namespace) -> "Tree":
    """Load the project that the options name; its files. Leaves the settings in the options."""
    from monolift.codemods.errors import CodemodError
    from monolift.codemods.loading import load
    from monolift.codemods.tree import Tree
    from monolift.supervise.preflight import Refused
    from monolift.supervise.project import find

    root: Path | None = options.root
    if root is not None and not root.is_dir():
        raise CodemodError(f"{root} is no folder. --root names the folder of the project.")
    settings = options.settings or ""
    if not settings or root is None:
        if settings:
            os.environ["DJANGO_SETTINGS_MODULE"] = settings
        with contextlib.chdir(root or Path()):
            try:
                found = find()
            except Refused as error:
                raise CodemodError(f"{error} Or say --settings.") from None
        settings = settings or found.settings
        root = root or found.folder
    options.settings = settings
    load(settings=settings, root=root.resolve())
    return Tree(root)


def finish(tree: "Tree", options: argparse.Namespace, lines: Sequence[str]) -> int:
    """Show or save the changes, then the report; the exit code."""
    from monolift.codemods.verify import verify

    changed = tree.changed()
    if options.dry_run:
        colour = options.color == "always" or (
            options.color == "auto" and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        )
        for line in tree.diff():
            print(_painted(line) if colour else line)
        print()
    else:
        if not options.force:
            tree.refuse_unsaved()
        tree.save()
    verb = "Would change" if options.dry_run else "Changed"
    print(f"{verb} {len(changed)} files: {', '.join(map(tree.shown, changed))}.")
    for line in lines:
        print(line)
    for sure, title in (
        (True, "Look at these yourself:"),
        (False, "The same name, perhaps of something else:"),
    ):
        notes = sorted({note for note in tree.notes if note.sure is sure})
        if notes:
            print(f"\n{title}")
        for note in notes:
            place = f"{tree.shown(note.path)}:{note.line}" if note.line else tree.shown(note.path)
            print(f"  {place}: {note.text}")
    if options.dry_run:
        return 0
    if failed := verify(root=tree.root, settings=options.settings):
        print(f"\n{failed}")
        sys.stderr.write(
            "monolift: the files are written, and the project is not whole yet: see above. "
            "`git checkout .` and `git clean` take it back.\n"
        )
        return 1
    return 0


def _painted(line: str) -> str:
    if line.startswith(("+++", "---")):
        return f"\x1b[1m{line}\x1b[0m"
    code = _COLOURS.get(line[:1])
    return f"\x1b[{code}m{line}\x1b[0m" if code else line
