"""Lookup paths: which of them need another module's table."""

from enum import Enum, auto
from typing import Any, NamedTuple

from django.core.exceptions import FieldDoesNotExist

from monolift.boundaries.registry.graph import ModelGraph, named


class Use(Enum):
    """What a query does with a path."""

    COMPARE = auto()
    """Filters, and values: a relation at the end is its own column."""
    ORDER = auto()
    """A relation at the end is ordered as its model says."""
    LOAD = auto()
    """The rows at the end are fetched."""
    PREFETCH = auto()
    """As LOAD, by names of attributes."""


class Crossing(NamedTuple):
    """Where a path enters another module."""

    label: str
    """The module entered."""
    start: Any
    """The model that it is entered from."""
    name: str
    """The part of the path that enters it."""
    target: str
    """What is reached: `catalog.Product.name`."""
    reverse: bool
    """By a reverse relation."""


def crossing(graph: ModelGraph, own: str, root: Any, path: str, use: Use) -> Crossing | None:
    """Where a path from `root`, in code of the module `own`, needs another module's table.

    A join inside the module of the root model is no matter of the path.
    """
    inside = {own, graph.label_of(root)}
    model = root
    parts = path.split("__")
    for index, part in enumerate(parts):
        hop = graph.hop(model, part, accessor=use is Use.PREFETCH)
        if hop is None:
            return None
        label = graph.label_of(hop.model)
        if label and label not in inside:
            rest = parts[index + 1 :]
            if not (hop.joins or _needs(hop.field, hop.model, part, rest, use)):
                return None
            columns = _columns(hop.model, rest)
            target = ".".join((named(hop.model), *columns))
            reverse = bool(hop.field.auto_created and not hop.field.concrete)
            return Crossing(label, model, part, target, reverse)
        model = hop.model
    return None


def _needs(field: Any, model: Any, part: str, rest: list[str], use: Use) -> bool:
    if part == getattr(field, "attname", "") and part != field.name and not rest:
        return False
    if not rest:
        if use in {Use.LOAD, Use.PREFETCH}:
            return True
        return use is Use.ORDER and bool(model._meta.ordering)
    try:
        column: Any = model._meta.get_field(rest[0])
    except FieldDoesNotExist:
        return False  # `pk`, a lookup or a transform: `product__isnull`
    if getattr(field, "many_to_many", False):
        return not getattr(column, "primary_key", False)
    keys = {target.name for target in getattr(field, "foreign_related_fields", ())}
    return not (column.concrete and column.name in keys)


def _columns(model: Any, rest: list[str]) -> list[str]:
    """The parts that are fields, without lookups and transforms at the end."""
    found: list[str] = []
    for part in rest:
        try:
            field: Any = model._meta.get_field(part)
        except FieldDoesNotExist:
            break
        found.append(part)
        model = getattr(field, "related_model", None)
        if model is None or isinstance(model, str):
            break
    return found
