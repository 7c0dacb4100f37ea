"""What lifts have shown: the moves out and home that were done, for the next assessment."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import DatabaseError

from monolift.lift.advice.evidence import Drill, Kind
from monolift.lift.plan import state

_KINDS = {"remote": Kind.OUT, "-remote": Kind.HOME, "-seal": Kind.ROLLBACK, "serve": Kind.PROVISION}


def recorded(module: str) -> Iterator[Drill]:
    """The drills that the lifts of a module have recorded; none where there is no such table."""
    try:
        known = state.of_module(module)
    except DatabaseError:
        return
    for standing in known:
        for name, kind in _KINDS.items():
            evidence: dict[str, Any] = standing.evidence.get(name, {})
            if "at" in evidence:
                cut = evidence.get("cut-over", evidence)
                yield Drill(
                    kind=kind,
                    at=datetime.fromisoformat(evidence["at"]),
                    passed=True,
                    seconds=float(cut.get("held", evidence.get("seconds", 0.0))),
                )
