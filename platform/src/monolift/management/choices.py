"""What the command line names, with an answer for names that are unknown."""

import argparse

from monolift.management.errors import VerbError


def module_labels(given: str | None) -> list[str]:
    """The labels in a comma-separated list, or all; VerbError for one that is not installed."""
    from monolift.registry.modules import modules

    known = sorted(modules())
    if given is None:
        return known
    labels = [label.strip() for label in given.split(",") if label.strip()]
    for label in labels:
        if label not in known:
            raise VerbError(f"There is no module {label!r}. Installed: {', '.join(known)}.")
    return labels


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add the options of a list: of which modules, and how long."""
    parser.add_argument("--modules", metavar="A,B", help="of these modules (default: of all)")
    parser.add_argument(
        "--limit",
        type=positive,
        metavar="N",
        default=50,
        help="how many at most (default: %(default)s)",
    )


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add `--format`."""
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="text for people, or json"
    )


def positive(text: str) -> int:
    """A whole number from 1, as an argument's type."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)
