"""Measure the signs of a distributed monolith: in git, calls, deploys, grants.

Twelve signs, each with its value and when it is an alarm. UNKNOWN is said where there is no data.

Exit codes: 0 no alarm; 1 an alarm, or it cannot be measured and one line says why; 2 wrong command
line.

    manage.py monolift smells --deploys deploys.csv
"""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monolift.lift.advice.smells.smell import Smell

NEEDS_DJANGO = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    from monolift.management.choices import add_format
    from monolift.management.verbs.assess import add_material

    parser.epilog = None  # it lists the exit codes of the other verbs
    add_material(parser)
    add_format(parser)


def run(options: argparse.Namespace) -> int:
    """Measure, and print; 1 when there is an alarm."""
    from django.core.exceptions import ImproperlyConfigured

    from monolift.kernel.errors import MonoliftError
    from monolift.lift.advice.material import Material
    from monolift.lift.advice.smells import signs
    from monolift.lift.advice.smells.smell import State
    from monolift.management.errors import VerbError

    try:
        found = signs(Material(deploys=options.deploys, observed=options.observed))
    except (MonoliftError, ImproperlyConfigured) as error:
        raise VerbError(str(error)) from None
    if options.format == "json":
        import msgspec

        from monolift.management.output import as_json

        print(as_json(msgspec.to_builtins(found)))
    else:
        print(_text(found))
    return 1 if any(one.state is State.ALARM for one in found) else 0


def _text(found: "tuple[Smell, ...]") -> str:
    from collections import Counter

    lines = []
    for one in found:
        lines.append(f"{one.state:<7}  {one.name}: {one.value}")
        lines += [f"             {what}" for what in one.found]
        lines.append(f"         alarm {one.alarm}; from {one.source}")
    counts = Counter(one.state.value for one in found)
    total = ", ".join(f"{counts[state]} {state}" for state in ("ALARM", "UNKNOWN", "OK"))
    return "\n".join([*lines, "", f"{total}."])
