"""The console script `monolift`. A verb that needs no Django runs at once, others in manage.py."""

import os
import select
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence

from monolift.management import verbs
from monolift.management.errors import VerbError

_EXIT_CODES = "Exit codes: 0 done; 1 cannot be done, one line says why; 2 wrong command line."

_OUTPUT_CUT = 128 + 13
"""What a shell says of a program that SIGPIPE ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    known = verbs.names()
    # Only the verb that is asked for is loaded; `monolift --help` loads all of them.
    name = given[0] if given else ""
    parser = build_parser([name] if name in known else known)
    options = parser.parse_args(given)
    verb = verbs.load(options.verb)
    try:
        if verb.NEEDS_DJANGO:
            return through_django(given)
        return carry_out(verb, options)
    except VerbError as error:
        sys.stderr.write(f"monolift: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def carry_out(verb: verbs.Verb, options: Namespace) -> int:
    """Run a verb; the exit code. Who reads its output may have enough, as `| head` does."""
    try:
        code = verb.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        watched = select.poll()
        watched.register(sys.stdout, 0)  # told of errors alone
        if not watched.poll(0):
            raise  # another pipe's
        # The interpreter flushes once more, at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _OUTPUT_CUT
    return code


def build_parser(names: Sequence[str]) -> ArgumentParser:
    """The parser of the given verbs."""
    parser = ArgumentParser(
        prog="monolift",
        description="Run a modular monolith, look into it, and lift its modules out.",
        epilog=_EXIT_CODES,
    )
    add_verbs(parser, names)
    return parser


def add_verbs(parser: ArgumentParser, names: Sequence[str]) -> None:
    """Add verbs to a parser."""
    below = parser.add_subparsers(
        dest="verb", metavar="VERB", required=True, parser_class=ArgumentParser
    )
    for name in names:
        verb = verbs.load(name)
        child = below.add_parser(
            name,
            help=verbs.summary(verb),
            description=(verb.__doc__ or "").strip(),
            epilog=_EXIT_CODES,
            formatter_class=RawDescriptionHelpFormatter,
        )
        verb.add_arguments(child)


def through_django(arguments: Sequence[str]) -> int:
    """Become the project's manage.py: the same process, so signals reach the verb itself."""
    from monolift.supervise.preflight import Refused
    from monolift.supervise.project import find

    try:
        project = find()
    except Refused as error:
        raise VerbError(str(error)) from None
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", project.settings)
    command = project.django(*arguments)
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606 - there is no shell to start it with
