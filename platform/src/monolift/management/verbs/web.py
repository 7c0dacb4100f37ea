"""Serve the project's pages and API in this process, until SIGTERM.

For a container or a process manager; `monolift run` starts it by itself.
"""

import argparse

from monolift.management.errors import VerbError
from monolift.management.verbs.run import add_address
from monolift.supervise.web import THREADS

NEEDS_DJANGO = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_address(parser)
    parser.add_argument(
        "--threads",
        type=int,
        choices=range(1, 65),
        metavar="N",
        default=THREADS,
        help="requests at a time, 1 to 64 (default: %(default)s)",
    )


def run(options: argparse.Namespace) -> int:
    """Serve until told to stop."""
    from monolift.supervise.preflight import Refused, free_port
    from monolift.supervise.project import find
    from monolift.supervise.web import Web, serve

    try:
        project = find()
        free_port(host=options.host, port=options.port)
    except Refused as error:
        raise VerbError(str(error)) from None
    web = Web(options.host, options.port, options.threads)
    try:
        serve(server=options.server, web=web, project=project)
    except ModuleNotFoundError as error:
        if error.name != options.server:
            raise
        raise VerbError(
            f"{options.server} is not installed. It comes with the extra `run`: "
            'pip install "monolift[run]".'
        ) from None
    return 0
