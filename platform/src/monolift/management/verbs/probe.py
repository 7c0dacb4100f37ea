"""Show how the apps of any Django project are coupled, and which could be lifted first.

Run it in the project's folder, in the project's environment. Each installed app whose files lie in
the folder is a module; `--groups` makes one module of several apps. It connects to no database and
to no server. The guide explains what it prints: docs/probe.md.

    monolift probe --settings mysite.settings
    monolift probe --settings mysite.settings --format html --output coupling.html
"""

import argparse
import sys
from pathlib import Path

from monolift.management.errors import VerbError

NEEDS_DJANGO = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--settings", required=True, metavar="MODULE", help="the project's settings, dotted"
    )
    parser.add_argument(
        "--groups", type=Path, metavar="FILE", help="TOML whose table [groups] joins apps"
    )
    parser.add_argument("--apps", type=_names, default=[], metavar="A,B", help="only these apps")
    parser.add_argument(
        "--include",
        action="append",
        default=[],
        metavar="PACKAGE",
        help='an installed package to look at too: "oscar.apps.*"; may be repeated',
    )
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="FOLDER",
        help="a folder whose files are not read; may be repeated",
    )
    parser.add_argument(
        "--module",
        metavar="LABEL",
        help="in text: everything that blocks this module (default: what blocks the nearest three)",
    )
    parser.add_argument(
        "--format", choices=("text", "json", "html"), default="text", help="(default: text)"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write there, not to stdout")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def run(options: argparse.Namespace) -> int:
    """Probe and print; the exit code."""
    from monolift.boundaries.probe.errors import ProbeError
    from monolift.boundaries.probe.run import probe
    from monolift.boundaries.probe.shown import shown

    output: Path | None = options.output
    try:
        report = probe(
            settings=options.settings,
            root=Path(),
            groups=options.groups,
            only=options.apps,
            include=options.include,
            exclude=options.exclude,
        )
        text = shown(
            report,
            form=options.format,
            module=options.module,
            colours=output is None and sys.stdout.isatty(),
        )
    except ProbeError as error:
        raise VerbError(str(error)) from None
    if output is None:
        sys.stdout.write(text)
        return 0
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise VerbError(f"{output} cannot be written: {error.strerror}.") from None
    return 0
