"""Answer modules as if they were elsewhere, over a network with moods, and report what would hurt.

    monolift rehearse inventory -- pytest tests/journeys
    monolift rehearse --seed 7 inventory,pricing -- monolift run
    monolift rehearse --for 60 inventory                 on the shop that runs now

Their calls go through the codec, deadlines, repetition and keys, and meet latency, refusals, lost
answers and duplicates by a seed. With a command, it is told by its environment; without, the truth
row tells the running processes, and the report is of those on this machine.
"""

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monolift.lift.rehearsal.report import Report
    from monolift.registry.places import Rehearsal

NEEDS_DJANGO = False  # a command finds its own settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    from monolift.management.choices import add_format

    _add_number(parser, "--latency", "what a call takes longer, in the mean", unit="MS", most=1e4)
    for name, what in (
        ("refused", "requests that nobody takes"),
        ("lost", "answers that do not arrive"),
        ("twice", "requests that arrive twice"),
    ):
        _add_number(parser, f"--{name}", what, unit="PERCENT", most=100)
    _add_number(parser, "--for", "how long, on a running shop", unit="SECONDS", most=86400)
    parser.set_defaults(latency=2.0, refused=2.0, lost=2.0, twice=2.0, seconds=30.0)
    parser.add_argument("--seed", type=int, default=1, help="of all of it (default: %(default)s)")
    add_format(parser)
    parser.add_argument("modules", metavar="A,B", help="the modules, by their labels")
    parser.add_argument("command", nargs="*", help="what to run, after --")


def _add_number(
    parser: argparse.ArgumentParser, flag: str, what: str, *, unit: str, most: float
) -> None:
    def number(text: str) -> float:
        try:
            found = float(text)
        except ValueError:
            found = -1.0
        if not 0 <= found <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {most:g}")
        return found

    parser.add_argument(
        flag,
        dest="seconds" if flag == "--for" else flag[2:],
        type=number,
        metavar=unit,
        help=f"{what} (default: %(default)s)",
    )


def run(options: argparse.Namespace) -> int:
    """Rehearse, and report; the exit code of the command."""
    import tempfile

    from monolift.lift.rehearsal.report import collect

    if not options.command and not _has_django():
        from monolift.management.console import through_django

        return through_django(sys.argv[1:])
    data = None if options.command else _data()
    with tempfile.TemporaryDirectory(prefix="monolift-rehearsal-", dir=data) as folder:
        rehearsal = _rehearsal(options, folder)
        if options.command:
            code = _command(options.command, rehearsal)
        else:
            code = _live(rehearsal, seconds=options.seconds)
        report = collect(rehearsal)
    if options.format == "json":
        import msgspec

        from monolift.management.output import as_json

        print(as_json(msgspec.to_builtins(report, str_keys=True)))
    else:
        print(_text(report, rehearsal))
    return code


def _rehearsal(options: argparse.Namespace, folder: str) -> "Rehearsal":
    from monolift.registry.places import Rehearsal

    return Rehearsal(
        modules=tuple(label for label in options.modules.split(",") if label),
        latency=options.latency / 1000,
        refused=options.refused / 100,
        lost=options.lost / 100,
        twice=options.twice / 100,
        seed=options.seed,
        folder=folder,
    )


def _command(command: list[str], rehearsal: "Rehearsal") -> int:
    import os
    import subprocess

    import msgspec

    from monolift.management.errors import VerbError
    from monolift.registry.places import REHEARSAL

    told = {**os.environ, REHEARSAL: msgspec.json.encode(rehearsal).decode()}
    try:
        with subprocess.Popen(command, env=told) as process:
            while True:
                try:
                    return process.wait()
                except KeyboardInterrupt:
                    continue  # the command has got it too, and ends by itself
    except OSError as error:
        raise VerbError(f"{command[0]} cannot be started: {error.strerror}.") from None


def _live(rehearsal: "Rehearsal", *, seconds: float) -> int:
    import time
    from dataclasses import replace

    from monolift.management.choices import module_labels
    from monolift.management.errors import VerbError
    from monolift.registry.places import here
    from monolift.registry.topology import topology
    from monolift.truth.follow import ASK_EVERY, change
    from monolift.truth.row import Overtaken

    module_labels(",".join(rehearsal.modules))
    known = topology()
    if known.control != here():
        raise VerbError(
            f"The truth row is in the deployable {known.control!r}, and this is {here()!r}. "
            f"Rehearse there: MONOLIFT_DEPLOYABLE={known.control}."
        )
    if known.rehearsal is not None and known.rehearsal.until > time.time():
        raise VerbError("There is a rehearsal already. Wait for its end, or end it by Ctrl-C.")
    # If this process is killed, everyone ends it by the clock.
    rehearsal = replace(rehearsal, until=time.time() + seconds + ASK_EVERY)
    try:
        change({}, rehearsal=rehearsal)
        try:
            time.sleep(seconds)
        except KeyboardInterrupt:
            pass
        finally:
            change({})
    except Overtaken as error:
        raise VerbError(str(error)) from None
    time.sleep(2)  # what is under way is counted too
    return 0


def _text(report: "Report", rehearsal: "Rehearsal") -> str:
    from monolift.lift.rehearsal.report import middle
    from monolift.management.output import columns

    head = (
        f"Rehearsed {', '.join(report.modules)}: {report.calls} calls, seed {report.seed}, "
        f"{rehearsal.latency * 1000:g} ms, {rehearsal.refused:.0%} refused, "
        f"{rehearsal.lost:.0%} lost, {rehearsal.twice:.0%} twice."
    )
    if not report.calls:
        return head + "\nNothing called them."
    titles = ("operation", "calls", "per request", "most", "bytes", "largest", "moods", "failed")
    rows = [
        (
            name,
            called.calls,
            middle(called.per_request),
            max(called.per_request, default=0),
            (called.sent + called.received) // max(called.calls, 1),
            called.largest,
            sum(called.moods.values()),
            called.failed,
        )
        for name, called in report.operations.items()
    ]
    hurts = "\n".join(
        f"  {hurt.place + ': ' if hurt.place else ''}{hurt.operation}: {hurt.what}"
        for hurt in report.hurts
    )
    end = f"What would hurt:\n\n{hurts}" if hurts else "Nothing of it would hurt."
    return "\n\n".join((head, columns(titles, rows), end))


def _has_django() -> bool:
    from django.apps import apps

    return apps.ready


def _data() -> str:
    """A folder that the running processes write into as well."""
    from pathlib import Path

    from monolift.registry.settings import setting

    folder = Path(setting("DATA")).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)
