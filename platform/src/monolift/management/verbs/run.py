"""Run the project on this machine: databases, web and workers, until Ctrl-C.

Prepares the databases, starts every process and keeps it alive. The options' defaults are taken
from HOST, PORT and MONOLIFT_DATA. `embedded` is SQLite and threads; `full` is PostgreSQL, Redis and
Celery, started here from installed programs, with their data in the data folder.
"""

import argparse
import os

NEEDS_DJANGO = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_address(parser)
    parser.add_argument(
        "--data",
        default=os.environ.get("MONOLIFT_DATA") or "var",
        help="folder for everything that is stored (default: %(default)s)",
    )
    parser.add_argument(
        "--stack", choices=("embedded", "full"), default="embedded", help="what it runs on"
    )
    parser.add_argument(
        "--topology",
        metavar="FILE",
        help="run each deployable that the file names as processes with data of their own",
    )
    parser.add_argument(
        "--no-sample", dest="sample", action="store_false", help="load no sample data"
    )


def add_address(parser: argparse.ArgumentParser) -> None:
    """Add the options of where and with what to listen."""
    parser.add_argument(
        "--host",
        default=os.environ.get("HOST") or "127.0.0.1",
        help="address to listen on (default: %(default)s)",
    )
    parser.add_argument(
        "--port",
        type=port,
        default=os.environ.get("PORT") or "8000",
        help="port to listen on (default: %(default)s)",
    )
    parser.add_argument(
        "--server", choices=("granian", "gunicorn"), default="granian", help="the WSGI server"
    )


def port(text: str) -> int:
    """A port number, 1 to 65535."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; it is a number from 1 to 65535")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Run it until Ctrl-C."""
    from monolift.supervise.run import run as supervise

    return supervise(
        host=options.host,
        port=options.port,
        data=options.data,
        stack=options.stack,
        server=options.server,
        sample=options.sample,
        topology=options.topology,
    )
