"""Write a module as a repository of its own, with its contract left behind in the monolith.

    manage.py monolift eject inventory --to ../inventory

The module, its tests and its contract; the contracts of those it calls, hears and tells, so that
nothing in its code changes; the project's settings and routes without the other modules; a
Makefile, a Dockerfile, the manifests of `monolift manifests`, and an ingress rule for its public
endpoints. The project itself is not touched: MONOLITH.md in the new folder says what may go.
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
        "--to", type=Path, metavar="FOLDER", required=True, help="an empty folder, or a new one"
    )
    parser.add_argument(
        "--monolift",
        type=Path,
        metavar="FOLDER",
        help="take the library from a checkout of it (its pyproject.toml), not from an index",
    )
    parser.add_argument(
        "--gateway",
        metavar="NAME",
        default="public",
        help="the Gateway that its HTTPRoute is for (default: %(default)s)",
    )
    parser.add_argument(
        "--ingress",
        metavar="NAMESPACE",
        default="ingress",
        help="the namespace of what routes public requests (default: %(default)s)",
    )
    add_parameters(parser)


def run(options: argparse.Namespace) -> int:
    """Write it, and say what is left to do."""
    from monolift.lift.service import eject
    from monolift.lift.service.errors import ServiceError
    from monolift.management.clusters import parameters
    from monolift.supervise.preflight import Refused
    from monolift.supervise.project import find

    try:
        root = find().folder
        given = parameters(options, root)
        for name in ("callers", "callees", "kept"):
            given.pop(name, None)
        ejected = eject(
            module=options.module,
            root=root,
            folder=options.to,
            gateway=options.gateway,
            monolift=options.monolift,
            **{
                **given,
                "image": options.image or f"{options.module.replace('_', '-')}:latest",
                "ingress": options.ingress,
            },
        )
    except (ServiceError, Refused) as error:
        raise VerbError(str(error)) from None
    print(f"{ejected.files} files in {ejected.folder}. Next: cd {ejected.folder} && make test")
    for path, needed in ejected.left_tests.items():
        print(f"Stays, since it needs {needed}: {path}")
    for prefix in ejected.routes.free:
        print(f"Routed to the service by deploy/ingress: {prefix}")
    for prefix in ejected.routes.guarded:
        print(f"Stays at the edge, where the accounts are: {prefix}")
    behind = ejected.behind
    print(
        f"In the monolith {len(behind.stays)} files stay, {len(behind.replaced)} change, "
        f"{len(behind.may_go)} may go: MONOLITH.md names them."
    )
    return 0
