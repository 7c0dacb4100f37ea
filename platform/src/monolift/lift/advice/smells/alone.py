"""Modules whose tests need more than their own process."""

from monolift.kernel import clock
from monolift.lift.advice.material import Material
from monolift.lift.advice.shares import counted
from monolift.lift.advice.smells.smell import Smell, State
from monolift.lift.advice.tested import records
from monolift.registry.modules import modules


def needs_everything(material: Material) -> Smell:
    """Test needs everything."""
    limit, days = material.limits.TEST_PROCESSES, material.limits.DRILL_DAYS
    known = records(material.root)
    limit_age = clock.now().timestamp() - days * 86400
    fresh = {label: one for label, one in known.items() if one.at >= limit_age}
    missing = sorted(modules().keys() - fresh.keys())
    wide = {label: one.processes for label, one in fresh.items() if one.processes > limit}
    found = State.ALARM if wide else State.UNKNOWN if missing else State.OK
    value = f"{counted(len(fresh) - len(wide), 'module')} tested in {limit:g} process"
    if missing:
        value += f"; not known of {', '.join(missing)}: run pytest --only-module for each"
    return Smell(
        name="Test needs everything",
        state=found,
        value=value,
        alarm=f"> {limit:g} process",
        source="the last `pytest --only-module` that passed",
        found=tuple(
            f"{label}: {counted(count, 'process').replace('processs', 'processes')}"
            for label, count in sorted(wide.items())
        ),
    )
