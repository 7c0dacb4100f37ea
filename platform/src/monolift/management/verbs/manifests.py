"""Write what a module's deployable needs to run on Kubernetes and to be watched by Prometheus.

    manage.py monolift manifests inventory --image shop:1.4.2 --to deploy/inventory

From the topology: the role, where the others are, how many there are, who may speak to whom.
Repeat it after a change; nothing in the folder is edited by hand.
"""

import argparse
import tomllib
from pathlib import Path

from monolift.management.errors import VerbError

NEEDS_DJANGO = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("module", help="the module's label: inventory")
    parser.add_argument(
        "--to", type=Path, metavar="FOLDER", help="where to write (default: deploy/<module>)"
    )
    add_parameters(parser)


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Add what differs from cluster to cluster."""
    parser.add_argument(
        "--image",
        metavar="NAME:TAG",
        help="the image (default: the project's name in pyproject.toml, :latest)",
    )
    parser.add_argument(
        "--namespace", default="shop", help="of the whole system (default: %(default)s)"
    )
    parser.add_argument(
        "--monitoring",
        metavar="NAMESPACE",
        default="monitoring",
        help="where Prometheus runs (default: %(default)s)",
    )
    parser.add_argument(
        "--database-cidr",
        metavar="NETWORK",
        default="0.0.0.0/0",
        help="where its database servers are: 10.0.0.0/24 (default: anywhere, by their port)",
    )


def run(options: argparse.Namespace) -> int:
    """Write it."""
    from monolift.lift.service import write_manifests
    from monolift.lift.service.errors import ServiceError

    root = Path.cwd()
    folder: Path = options.to or root / "deploy" / options.module
    shown = folder.absolute()
    try:
        written = write_manifests(
            module=options.module,
            folder=folder,
            image=options.image or f"{project_name(root)}:latest",
            namespace=options.namespace,
            monitoring=options.monitoring,
            database_cidr=options.database_cidr,
            organisation=organisation(root),
            shown=shown.relative_to(root).as_posix() if shown.is_relative_to(root) else "",
        )
    except ServiceError as error:
        raise VerbError(str(error)) from None
    for path in written:
        print(path)
    return 0


def project_name(root: Path) -> str:
    """What the project is called in its pyproject.toml; else its folder's name."""
    return str(_document(root).get("project", {}).get("name") or root.name).lower()


def organisation(root: Path) -> str:
    """Whose teams own things, for CODEOWNERS; empty when nobody says."""
    owners = _document(root).get("tool", {}).get("monolift", {}).get("codeowners", {})
    return str(owners.get("organisation", ""))


def _document(root: Path) -> dict[str, dict[str, dict[str, dict[str, str]]]]:
    try:
        return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
