"""Narrowing a list by options: what the address says, and what the page offers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from modules.storefront.requires import Facet

_PREFIX = "o:"
_LONGEST = 200

GROUPS = 5
"""How many options are offered: those that most products have. A category has its own."""

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
    common = sorted(offered, key=lambda name: -sum(one.count for one in offered[name].values))
    shown = {*common[:GROUPS], *chosen}
    names = [name for name in dict.fromkeys([*offered, *chosen]) if name in shown]
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
    """Sizes and measures from small to large, then anything else as it was found."""

    def rank(one: tuple[str, tuple[str, int]]) -> tuple[int, str, float]:
        title = one[1][0].lower()
        if title in _SIZES:
            return 0, "", _SIZES.index(title)
        measure = _MEASURE.fullmatch(title)
        return (1, measure["unit"], float(measure["number"])) if measure else (2, "", 0)

    return sorted(found.items(), key=rank)
