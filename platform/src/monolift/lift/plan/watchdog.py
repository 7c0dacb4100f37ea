"""Going on by itself where a lift was killed while writers wait for it.

Runs in the workers of the control deployable. A stage that holds nobody up is left to an operator's
`resume`.
"""

import threading

from django.db import close_old_connections, connections

from monolift.lift.moving import Blocked, GaveUp, database_errors
from monolift.lift.plan import engine, state
from monolift.lift.plan.stage import Lift, Stage
from monolift.lift.plan.stages import STAGES
from monolift.observe.logs import logger
from monolift.registry.places import here
from monolift.registry.topology import topology

EVERY = 0.25
"""Seconds between two looks: a lift that was killed is found within a lease and one of them."""

log = logger("monolift.lift")


def watch(stopping: threading.Event) -> None:
    """Look until `stopping`."""
    try:
        while not stopping.wait(EVERY):
            if topology().control != here():
                continue
            try:
                for module in state.interrupted():
                    _go_on(module)
            except database_errors() as error:
                log.warning("lifts cannot be looked at", exc_info=error)
                stopping.wait(5.0)
            close_old_connections()
    finally:
        connections.close_all()


def _go_on(module: str) -> None:
    standing = state.current(module)
    urgent = {stage.name for stage in STAGES if stage.holds_up}
    if standing is None or standing.doing.removeprefix("-") not in urgent:
        return
    log.warning("a lift was killed in its middle: it goes on", module=module, stage=standing.doing)
    try:
        engine.resume(Lift(module=module, evidence={}), report=_tell)
    except (Blocked, GaveUp) as error:
        log.error("the lift could not go on by itself", module=module, reason=str(error))


def _tell(stage: Stage, what: str) -> None:
    log.info("lift", stage=stage.name, what=what)
