"""Whether a module's interface is fit to be called from another process."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from monolift.kernel import DeclarationError, Operation, operations_of
from monolift.lift.advice.advice import Check, Outcome
from monolift.lift.advice.loops import looped
from monolift.lift.advice.material import Material
from monolift.lift.advice.traffic import loops
from monolift.observe.seen import Weighed
from monolift.registry.modules import modules

TYPED = "every operation typed"


def ready(material: Material, label: str) -> tuple[Check, ...]:
    """Typed, keyed, batch-first, not called in a loop."""
    operations = [
        operation
        for interface in modules()[label].provides
        for operation in operations_of(interface).values()
    ]
    in_loops = _in_loops(material, label)
    seen = sum(material.seen.modules.get(label, Weighed()).calls.values())
    enough = seen >= material.limits.FEWEST_REQUESTS
    return (
        _check(TYPED, _untyped(operations)),
        _check("every command keyed", _unkeyed(operations)),
        _check("batch-first", _single(operations, in_loops)),
        _check(
            "no N+1",
            (
                f"{place} calls {operation} in a loop: ask for all at once."
                for place, operation in sorted(in_loops.items())
            ),
            known=enough or not operations,
        ),
    )


def _check(name: str, found: Iterator[str], *, known: bool = True) -> Check:
    wrong = tuple(found)
    outcome = Outcome.FAIL if wrong else Outcome.PASS if known else Outcome.UNKNOWN
    if not known and not wrong:
        wrong = ("the files show none, and too few requests were weighed to be sure.",)
    return Check(name=name, outcome=outcome, found=wrong)


def _in_loops(material: Material, label: str) -> dict[str, str]:
    """Operations by the line that calls them in a loop."""
    found = {one.place: one.operation for one in looped(material.project, label)}
    found |= {line.place: line.operation for line in loops(material.seen, label)}
    report = material.rehearsal
    if report is not None and label in report.modules:
        names = {
            operation.name
            for interface in modules()[label].provides
            for operation in operations_of(interface).values()
        }
        found |= {
            hurt.place: hurt.operation
            for hurt in report.hurts
            if hurt.kind == "loop" and hurt.operation in names
        }
    return found


def _untyped(operations: list[Operation]) -> Iterator[str]:
    for operation in operations:
        try:
            operation.check_types()
        except (DeclarationError, NameError) as error:
            yield " ".join(str(error).split())


def _unkeyed(operations: list[Operation]) -> Iterator[str]:
    for operation in operations:
        if operation.kind == "command" and not operation.keyed:
            yield (
                f"{operation.name} is keyed=False: when its answer is lost it is not repeated, and "
                "its caller must ask again."
            )


def _single(operations: list[Operation], in_loops: Mapping[str, str]) -> Iterator[str]:
    """Operations that take one thing at a time, and are asked for several."""
    places = {operation: place for place, operation in in_loops.items()}
    for operation in operations:
        if operation.name in places and not any(map(_several, _types(operation))):
            yield (
                f"{operation.name} takes one thing at a time, and {places[operation.name]} asks "
                "for several: let it take a sequence."
            )


def _types(operation: Operation) -> Iterator[Any]:
    for name in operation.signature.parameters:
        yield msgspec.inspect.type_info(operation.hints[name])


def _several(info: Any) -> bool:
    if isinstance(info, msgspec.inspect.UnionType):
        return any(map(_several, info.types))
    return isinstance(info, msgspec.inspect.CollectionType | msgspec.inspect.DictType)
