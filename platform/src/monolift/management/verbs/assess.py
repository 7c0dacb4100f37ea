"""Say whether a module should be lifted, with the numbers: stay, unless a force is real.

Measured are D1 to D12: the boundary (monolift check, the SQL guard), git history and owners, what
the processes have written to the data folder, deploys and incidents given as CSV, and the drills
that lifts have recorded. UNKNOWN is never PASS. The verdict is `stay` unless all of D1 to D4 and
D9 to D12 hold and one of D5 to D8. Nothing is changed.

    manage.py monolift assess inventory --deploys deploys.csv --incidents incidents.csv --adr
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monolift.lift.advice.advice import Advice

NEEDS_DJANGO = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    from monolift.management.choices import add_format

    parser.add_argument("module", metavar="MODULE", help="its label: inventory")
    add_material(parser)
    parser.add_argument(
        "--incidents", type=Path, metavar="FILE.csv", help="incidents: module, began_at, ..."
    )
    parser.add_argument(
        "--rehearsal",
        type=Path,
        metavar="FILE.json",
        help="what `monolift rehearse --format json` said",
    )
    parser.add_argument(
        "--adr", action="store_true", help="write a decision record with the numbers"
    )
    parser.add_argument(
        "--adr-folder", type=Path, metavar="DIR", help="where to (default: docs/adr)"
    )
    add_format(parser)


def add_material(parser: argparse.ArgumentParser) -> None:
    """Add what `assess` and `smells` both read."""
    parser.add_argument(
        "--deploys", type=Path, metavar="FILE.csv", help="deploys: modules, merged_at, live_at, ..."
    )
    parser.add_argument(
        "--observed",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="what processes of another machine wrote (its data folder's `observed`); repeatable",
    )


def run(options: argparse.Namespace) -> int:
    """Assess, and print; 0 whatever the verdict is."""
    from django.core.exceptions import ImproperlyConfigured

    from monolift.kernel.errors import MonoliftError
    from monolift.lift.advice import assess
    from monolift.lift.advice.evidence import provide
    from monolift.lift.plan.drills import recorded
    from monolift.management.errors import VerbError

    provide(recorded)
    try:
        advice = assess(
            module=options.module,
            deploys=options.deploys,
            incidents=options.incidents,
            rehearsal=options.rehearsal,
            observed=options.observed,
        )
    except (MonoliftError, ImproperlyConfigured) as error:
        raise VerbError(str(error)) from None
    if options.format == "json":
        import msgspec

        from monolift.management.output import as_json

        print(as_json(msgspec.to_builtins(advice)))
    else:
        print("\n\n".join(_text(advice)))
    if options.adr:
        _record(advice, options.adr_folder, quiet=options.format == "json")
    return 0


def _record(advice: "Advice", folder: Path | None, *, quiet: bool) -> None:
    from monolift.boundaries.project import find_root
    from monolift.lift.advice.adr import write
    from monolift.management.errors import VerbError

    place = folder or find_root() / "docs" / "adr"
    try:
        file = write(advice, folder=place)
    except OSError as error:
        raise VerbError(
            f"The decision record cannot be written to {place}: {error.strerror}. Name another "
            "folder with --adr-folder."
        ) from None
    if not quiet:
        print(f"\nWritten: {file}")


def _text(advice: "Advice") -> "Iterator[str]":
    from monolift.management.output import columns

    yield f"{advice.module} ({advice.owner}): {advice.verdict.upper()}"
    yield "\n".join(f"  {reason}." for reason in advice.reasons)
    helps = {True: "would help", False: "no", None: "UNKNOWN"}
    yield "Cheaper, cheapest first:\n\n" + columns(
        ("answer", "helps", "measured", "how"),
        [(one.name, helps[one.helps], one.value, one.how) for one in advice.cheaper],
    )
    yield "Criteria: all of D1 to D4 and D9 to D12 must hold, and one of D5 to D8."
    yield "\n".join(
        f"{one.number:<3}  {one.outcome:<7}  {one.title}: {one.value}\n"
        f"              wanted {one.threshold}; from {one.source}"
        for one in advice.criteria
    )
    ready = "\n".join(
        f"  {one.outcome}  {one.name}" + "".join(f"\n      {what}" for what in one.found)
        for one in advice.readiness
    )
    yield f"Ready to be called from elsewhere?\n\n{ready}"
    if advice.blockers:
        yield "Blockers, to be mended before any lift:\n\n" + "\n".join(
            f"  {one}" for one in advice.blockers
        )
