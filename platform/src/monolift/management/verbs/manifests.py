"""Write what a module's deployable needs to run on Kubernetes and to be watched by Prometheus.

    manage.py monolift manifests inventory --image shop:1.4.2 --to deploy/inventory

From the topology: the role, where the others are, how many there are, who may speak to whom.
Repeat it after a change; nothing in the folder is edited by hand. What differs from cluster to
cluster may stand in pyproject.toml instead, under [tool.monolift.service]; the workflow repeats the
options that are given here.
"""

import argparse
from pathlib import Path

from monolift.management.errors import VerbError

NEEDS_DJANGO = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    from monolift.management.clusters import add_parameters

    parser.add_argument("module", help="the module's label: inventory")
    parser.add_argument(
        "--to", type=Path, metavar="FOLDER", help="where to write (default: deploy/<module>)"
    )
    add_parameters(parser)


def run(options: argparse.Namespace) -> int:
    """Write it."""
    from monolift.lift.service import write_manifests
    from monolift.lift.service.errors import ServiceError
    from monolift.management.clusters import parameters

    root = Path.cwd()
    folder: Path = options.to or root / "deploy" / options.module
    shown = folder.absolute()
    try:
        written = write_manifests(
            module=options.module,
            folder=folder,
            shown=shown.relative_to(root).as_posix() if shown.is_relative_to(root) else "",
            **parameters(options, root),
        )
    except ServiceError as error:
        raise VerbError(str(error)) from None
    for path in written:
        print(path)
    return 0
