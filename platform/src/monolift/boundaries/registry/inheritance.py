"""Models that inherit from models of another module."""

from collections.abc import Iterator
from typing import Any

from monolift.boundaries.project import StaticModule
from monolift.boundaries.registry import rules
from monolift.boundaries.registry.graph import ModelGraph, named
from monolift.boundaries.registry.sources import Sources
from monolift.boundaries.violations import Violation


def inheritance_violations(
    graph: ModelGraph, sources: Sources, *, abstract: bool = True
) -> Iterator[Violation]:
    """Proxies and children of another module's models; with `abstract`, users of abstract ones."""
    for module, model in graph.own:
        for violation, shares_rows in _of(graph, sources, module, model):
            if shares_rows or abstract:
                yield violation


def _of(
    graph: ModelGraph, sources: Sources, module: StaticModule, model: Any
) -> Iterator[tuple[Violation, bool]]:
    for base in model.__bases__:
        meta = getattr(base, "_meta", None)
        if meta is None:
            continue
        owner = graph.project.module_at(base.__module__) if meta.abstract else graph.module_of(base)
        if owner is not None and owner.label != module.label:
            yield _violation(sources, module, owner, model, base), not meta.abstract
        elif meta.abstract and owner is not None:
            yield from _of(graph, sources, module, base)  # it has no turn of its own


def _violation(
    sources: Sources, module: StaticModule, owner: StaticModule, model: Any, base: Any
) -> Violation:
    if base._meta.abstract:
        how = "takes its columns from the abstract model"
        way_out = (
            f"Copy the fields that {model.__name__} needs, or move {base.__name__} into a package "
            "that belongs to no module."
        )
    elif model._meta.proxy:
        how = "is a proxy of"
        way_out = (
            f"Let {owner.label} answer what {model.__name__} is for through its interface; or "
            f"make {model.__name__} a model of its own that keeps the id of {base.__name__}."
        )
    else:
        how = "inherits the table of"
        way_out = (
            f"Make {model.__name__} a model of its own with the plain field "
            f"`{base.__name__.lower()}_id`, and copy the data in a migration."
        )
    # An abstract model may carry the app label of whom it is made for.
    parent = f"{owner.label}.{base.__name__}" if base._meta.abstract else named(base)
    return Violation(
        module=module.label,
        owner=module.owner,
        rule=rules.MODEL_INHERITANCE,
        source=f"{model.__module__}.{model.__qualname__}",
        target=parent,
        path=sources.shown(model.__module__),
        line=sources.line(model) or 1,
        message=f"{named(model)} {how} {parent}, a model of {owner.label}.",
        way_out=way_out,
    )
