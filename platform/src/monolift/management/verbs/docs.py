"""Write the map of the modules, a page for each, the event catalogue and the saga diagrams.

All of it is generated from what the installed modules declare; no database is opened. The pages go
to docs/map in the project's folder, or where `--to` says. With `--check` nothing is written: pages
that are not current are named.

Exit codes: 0 done, or all pages are current; 1 a page is not current, or it cannot be done; 2 wrong
command line.
"""

import argparse
import shlex
import sys
from pathlib import Path

NEEDS_DJANGO = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.epilog = None  # it lists the exit codes of the other verbs
    parser.add_argument(
        "--to", type=Path, metavar="FOLDER", help="where the pages are (default: docs/map)"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing, and fail while a page is not current"
    )


def run(options: argparse.Namespace) -> int:
    """Write or check; the exit code."""
    from monolift.contracts.schema import ContractError
    from monolift.documents.errors import DocumentsError
    from monolift.documents.folder import pages, stale, write
    from monolift.documents.gather import gather
    from monolift.documents.places import Places
    from monolift.management.errors import VerbError
    from monolift.supervise.preflight import Refused
    from monolift.supervise.project import find

    try:
        root = find().folder.resolve()
        folder: Path = (options.to or root / "docs" / "map").resolve()
        places = Places(folder=folder, root=root, contracts=root / "contracts")
        wanted = pages(gather(), places)
        changed = stale(wanted, folder=folder) if options.check else write(wanted, folder=folder)
    except (DocumentsError, ContractError, Refused) as error:
        raise VerbError(str(error)) from None
    shown = folder.relative_to(root) if folder.is_relative_to(root) else folder
    for path in changed:
        print((shown / path).as_posix())
    if not options.check or not changed:
        return 0
    command = "monolift docs" + (f" --to {shlex.quote(str(options.to))}" if options.to else "")
    count = "1 page is" if len(changed) == 1 else f"{len(changed)} pages are"
    sys.stderr.write(f"monolift: {count} not current. Run `{command}` and commit {shown}.\n")
    return 1
