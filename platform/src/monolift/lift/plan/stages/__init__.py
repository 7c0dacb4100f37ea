"""The stages, in their order."""

from monolift.lift.plan.stage import Lift, Stage
from monolift.lift.plan.stages.assess import Assess
from monolift.lift.plan.stages.canary import Canary
from monolift.lift.plan.stages.copy import Copy
from monolift.lift.plan.stages.cutover import CutOver
from monolift.lift.plan.stages.finish import Finish
from monolift.lift.plan.stages.rehearse import Rehearse
from monolift.lift.plan.stages.remote import Remote
from monolift.lift.plan.stages.seal import Seal
from monolift.lift.plan.stages.serve import Serve
from monolift.lift.plan.stages.shadow import Shadow
from monolift.lift.plan.stages.soak import Soak

STAGES: tuple[Stage, ...] = (
    Assess(),
    Seal(),
    Rehearse(),
    Serve(),
    Shadow(),
    Canary(),
    Remote(),
    Copy(),
    CutOver(),
    Soak(),
    Finish(),
)


def stages_of(lift: Lift) -> list[Stage]:
    """Those that a lift goes through."""
    return [stage for stage in STAGES if stage.applies(lift)]
