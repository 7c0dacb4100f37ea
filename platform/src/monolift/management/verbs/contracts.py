"""Write the snapshots of contracts, or check that the code still keeps them.

`write` brings contracts/ up to date: a file for each interface, event, saga and task of the
installed modules. `check` compares the code with the files, and with the files where this branch
left the trunk (`--against` names another commit), and says of each difference whether it is SAFE
or BREAKING and what to do. A breaking change that was decided stands in contracts/accepted.toml.

Exit codes: 0 equal; 1 the snapshots are out of date, nothing breaks; 2 something breaks; 3 wrong
command line, or nothing to compare.
"""

import argparse
import sys
from pathlib import Path
from typing import NoReturn

NEEDS_DJANGO = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `write`, `check` and their options."""
    parser.epilog = None  # the exit codes of the other verbs
    parser.add_argument("action", choices=("write", "check"), help="what to do")
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="where snapshots are (default: contracts/)"
    )
    parser.add_argument(
        "--against", metavar="REF", help="check: compare with this commit instead of the trunk"
    )

    def error(message: str) -> NoReturn:
        parser.print_usage(sys.stderr)
        parser.exit(3, f"{parser.prog}: error: {message}\n")

    parser.error = error  # type: ignore[method-assign]  # 2, argparse's own, means BREAKING here


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
