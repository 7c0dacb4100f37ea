"""Narrowing a list by options: what the address says, and what the page offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from modules.storefront.requires import Facet

_PREFIX = "o:"
_LONGEST = 200

type Options = Mapping[str, Sequence[str]]
"""The values chosen of each option; any of them will do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A value to tick."""

    id: str
    value: str
    title: str
    count: int
    ticked: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """The values of one option; `parameter` is its name in the address."""

    id: str
    name: str
    parameter: str
    boxes: Sequence[Box]

    @property
    def ticked(self) -> int:
        """How many of them are ticked."""
        return sum(box.ticked for box in self.boxes)


def options_of(request: HttpRequest) -> Options:
    """What the address chooses."""
    return {
        key.removeprefix(_PREFIX): [value for value in values if value and len(value) <= _LONGEST]
        for key, values in request.GET.lists()
        if key.startswith(_PREFIX) and len(_PREFIX) < len(key) <= _LONGEST and any(values)
    }


def groups_of(facets: Sequence[Facet], chosen: Options) -> Sequence[Group]:
    """What to offer; a chosen value stays on offer when it would give nothing."""
    offered = {facet.name: facet for facet in facets if facet.name != "category"}
    names = [*offered, *(name for name in chosen if name not in offered)]
    return [
        Group(
            id=f"option-{number}",
            name=name,
            parameter=_PREFIX + name,
            boxes=_boxes(f"option-{number}", offered.get(name), chosen.get(name, ())),
        )
        for number, name in enumerate(names, start=1)
    ]


def _boxes(prefix: str, facet: Facet | None, chosen: Sequence[str]) -> Sequence[Box]:
    found = {one.value: (one.title, one.count) for one in facet.values} if facet else {}
    for value in chosen:
        found.setdefault(value, (value, 0))
    return [
        Box(id=f"{prefix}-{number}", value=value, title=title, count=count, ticked=value in chosen)
        for number, (value, (title, count)) in enumerate(found.items(), start=1)
    ]
