"""The signs of a distributed monolith, measured."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monolift.lift.advice.material import Material
    from monolift.lift.advice.smells.smell import Smell


def signs(material: "Material") -> "tuple[Smell, ...]":
    """All twelve, in the order of the guide. Raises MonoliftError for what cannot be read."""
    from monolift.lift.advice.smells.alone import needs_everything
    from monolift.lift.advice.smells.calls import (
        availability,
        chain,
        chatty,
        drift,
        hope,
        storm,
    )
    from monolift.lift.advice.smells.changes import changed_together, lock_step
    from monolift.lift.advice.smells.databases import shared_database
    from monolift.lift.advice.smells.services import dead_switch, one_team

    measures = (
        lock_step,
        changed_together,
        chain,
        availability,
        chatty,
        shared_database,
        drift,
        hope,
        needs_everything,
        storm,
        one_team,
        dead_switch,
    )
    return tuple(measure(material) for measure in measures)


__all__ = ["signs"]
