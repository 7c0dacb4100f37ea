"""Narrowing a list by options: what the address says, and what the page offers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from modules.storefront.requires import Facet

_PREFIX = "o:"
_LONGEST = 200

SHOWN = 6
"""How many values of an option are seen at once; one more would not be worth a click."""

_MEASURE = re.compile(r"(?P<number>\d{1,9}(?:\.\d{1,9})?)\b\s*(?P<unit>.*)", re.ASCII)
_SIZES = ("xxs", "xs", "s", "m", "l", "xl", "xxl", "3xl", "4xl")

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
    def first(self) -> Sequence[Box]:
        """Those that are seen at once."""
        return self.boxes if len(self.boxes) <= SHOWN + 1 else self.boxes[:SHOWN]

    @property
    def others(self) -> Sequence[Box]:
        """Those behind a click."""
        return self.boxes[len(self.first) :]

    @property
    def open(self) -> bool:
        """Whether one of the others is ticked, so that they must be seen."""
        return any(box.ticked for box in self.others)


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
        for number, (value, (title, count)) in enumerate(_in_order(found), start=1)
    ]


def _in_order(found: Mapping[str, tuple[str, int]]) -> Sequence[tuple[str, tuple[str, int]]]:
    """Measures and sizes from small to large; anything else as it was found."""
    titles = [title.lower() for title, _ in found.values()]
    if all(title in _SIZES for title in titles):
        return sorted(found.items(), key=lambda one: _SIZES.index(one[1][0].lower()))
    measures = {title: match for title in titles if (match := _MEASURE.fullmatch(title))}
    if len(measures) == len(set(titles)):

        def measure(one: tuple[str, tuple[str, int]]) -> tuple[str, float]:
            match = measures[one[1][0].lower()]
            return match["unit"], float(match["number"])

        return sorted(found.items(), key=measure)
    return list(found.items())
