"""All criteria of one module, and what follows from them."""

from django.core.exceptions import ImproperlyConfigured

from monolift.boundaries.project import ProjectError
from monolift.lift.advice.advice import Advice, Outcome, decide
from monolift.lift.advice.boundary import clean
from monolift.lift.advice.change import apart, needed, stable
from monolift.lift.advice.cheaper import cheaper
from monolift.lift.advice.delivery import held, quick, spreading
from monolift.lift.advice.drilled import provisioned, reversible, watched
from monolift.lift.advice.material import Material, NotAssessed
from monolift.lift.advice.readiness import TYPED, ready
from monolift.lift.advice.traffic import heavy, thin
from monolift.registry.modules import modules

_OTHERS = (
    stable,
    apart,
    thin,
    held,
    heavy,
    spreading,
    needed,
    provisioned,
    watched,
    quick,
    reversible,
)


def advise(material: Material, label: str) -> Advice:
    """Measure, and decide. Raises NotAssessed and other MonoliftErrors."""
    if label not in modules():
        raise NotAssessed(
            f"There is no module {label!r}. Installed: {', '.join(sorted(modules()))}."
        )
    try:
        boundary, couplings = clean(material, label)
        criteria = (boundary, *(measure(material, label) for measure in _OTHERS))
    except (ProjectError, ImproperlyConfigured) as error:
        raise NotAssessed(str(error)) from None
    readiness = ready(material, label)
    verdict, reasons = decide(criteria)
    untyped = [
        what
        for check in readiness
        if check.name == TYPED and check.outcome is Outcome.FAIL
        for what in check.found
    ]
    return Advice(
        module=label,
        owner=material.owner(label),
        verdict=verdict,
        reasons=reasons,
        criteria=criteria,
        readiness=readiness,
        blockers=(*couplings, *untyped),
        cheaper=cheaper(material, label, criteria),
    )
