"""Write the snapshots of contracts, or check that the code still keeps them.

`write` brings contracts/ up to date: a file for each interface, event, saga and task of the
installed modules. `check` compares the code with the files, and with the files where this branch
left the trunk (`--against` names another commit), and says of each difference whether it is SAFE
or BREAKING and what to do. A breaking change that was decided stands in contracts/accepted.toml.

Exit codes: 0 equal; 1 the snapshots are out of date, nothing breaks; 2 something breaks; 3 wrong
command line, or they cannot be compared (a broken file, a shallow clone).
"""

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

NEEDS_DJANGO = True


class _Action(argparse.ArgumentParser):
    """Refuses a wrong command line with 3, because argparse's own 2 means BREAKING here."""

    def error(self, message: str) -> NoReturn:
        _refuse(self, message)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `write`, `check` and their options."""
    parser.epilog = None  # it lists the exit codes of the other verbs
    parser.error = lambda message: _refuse(parser, message)  # type: ignore[method-assign]  # as above
    actions = parser.add_subparsers(
        dest="action", metavar="ACTION", required=True, parser_class=_Action
    )
    write = actions.add_parser("write", help="bring the snapshots up to date")
    check = actions.add_parser("check", help="say what changed, and what it breaks")
    for action in (write, check):
        action.add_argument(
            "--folder", type=Path, metavar="DIR", help="where snapshots are (default: contracts/)"
        )
    check.add_argument(
        "--against",
        metavar="REF",
        help="compare with this commit (default: where we left the trunk)",
    )


def _refuse(parser: argparse.ArgumentParser, message: str) -> NoReturn:
    parser.print_usage(sys.stderr)
    parser.exit(3, f"{parser.prog}: error: {message}\n")


def run(options: argparse.Namespace) -> int:
    """Write or check; the exit code."""
    from monolift.contracts.check import Exit, check
    from monolift.contracts.declared import declared
    from monolift.contracts.schema import ContractError
    from monolift.contracts.snapshots import write
    from monolift.supervise.project import find

    folder: Path = (options.folder or find().folder / "contracts").resolve()
    try:
        if options.action == "write":
            for path in write(declared(), folder=folder):
                print(f"{folder.name}/{path}")
            return Exit.EQUAL
        code, lines = check(declared(), folder=folder, against=options.against)
    except ContractError as error:
        sys.stderr.write(f"monolift: {error}\n")
        return Exit.REFUSED
    for line in lines:
        print(line)
    return code
