"""Whether a module should be lifted: measured, and `stay` unless a force is real.

from monolift.lift.advice import assess

advice = assess(module="inventory")
advice.verdict, advice.blockers
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from monolift.lift.advice.advice import Advice


def assess(
    *,
    module: str,
    deploys: Path | None = None,
    incidents: Path | None = None,
    rehearsal: Path | None = None,
    observed: "Collection[Path]" = (),
) -> "Advice":
    """Measure a module of the working folder's project against D1 to D12.

    `deploys` and `incidents` are CSV files (see `tables`), `rehearsal` the JSON report of one, and
    `observed` the folders that processes wrote to (default: this machine's). Nothing is changed.
    Raises MonoliftError, whose message names what cannot be read and the way out.
    """
    from monolift.lift.advice.assessment import advise
    from monolift.lift.advice.material import Material

    material = Material(
        deploys=deploys, incidents=incidents, rehearsal=rehearsal, observed=observed
    )
    return advise(material, module)


__all__ = ["assess"]
