"""Relations from a model of one module to a model of another."""

from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps

from monolift.boundaries.project import StaticModule
from monolift.boundaries.registry import rules
from monolift.boundaries.registry.graph import ModelGraph, ask, named
from monolift.boundaries.registry.sources import Sources
from monolift.boundaries.violations import Violation

_PLAIN = {
    "AutoField": "IntegerField",
    "BigAutoField": "BigIntegerField",
    "SmallAutoField": "SmallIntegerField",
}


type Definer = Callable[[Any, str], tuple[Any, int]]
"""The class that has a model's field in its body, and the line there."""


def relation_violations(
    graph: ModelGraph, sources: Sources, *, definer: Definer | None = None
) -> Iterator[Violation]:
    """Every relation of a module's model that leads out of the module, or may lead anywhere.

    A field is told by the class that `definer` finds; without one it is a class of the model's own
    module, which that module can change.
    """
    find = definer or sources.definer
    for module, model in graph.own:
        meta = model._meta
        for field in (*meta.local_fields, *meta.local_many_to_many, *meta.private_fields):
            if field.auto_created or getattr(field, "mti_inherited", False):
                continue
            if _is_generic(field):
                yield _generic(sources, find, module, model, field)
            else:
                yield from _leaving(graph, sources, find, module, model, field)


def _is_generic(field: Any) -> bool:
    if not apps.is_installed("django.contrib.contenttypes"):
        return False
    from django.contrib.contenttypes.fields import GenericForeignKey

    return isinstance(field, GenericForeignKey)


def _generic(
    sources: Sources, find: Definer, module: StaticModule, model: Any, field: Any
) -> Violation:
    kind, line = find(model, field.name)
    return Violation(
        module=module.label,
        owner=module.owner,
        rule=rules.GENERIC_FOREIGN_KEY,
        source=f"{kind.__module__}.{kind.__qualname__}.{field.name}",
        target="*",
        path=sources.shown(kind.__module__),
        line=line,
        message=f"{named(model)}.{field.name} is a generic relation, which may point into any "
        "module's tables.",
        way_out="Keep a plain kind and id (`subject_kind`, `subject_id`), and ask the module that "
        "owns the subject through its interface.",
    )


def _leaving(
    graph: ModelGraph,
    sources: Sources,
    find: Definer,
    module: StaticModule,
    model: Any,
    field: Any,
) -> Iterator[Violation]:
    remote = field.remote_field
    if remote is None or getattr(remote, "parent_link", False):
        return  # the link to a parent is inheritance
    through = getattr(remote, "through", None)
    for how, target in (("is a relation to", field.related_model), ("goes through", through)):
        if target is None or isinstance(target, str) or target._meta.auto_created:
            continue
        owner = graph.module_of(target)
        if owner is None or owner.label == module.label:
            continue
        kind, line = find(model, field.name)
        yield Violation(
            module=module.label,
            owner=module.owner,
            rule=_rule(field),
            source=f"{kind.__module__}.{kind.__qualname__}.{field.name}",
            target=named(target),
            path=sources.shown(kind.__module__),
            line=line,
            message=f"{named(model)}.{field.name} {how} {named(target)}, a table of {owner.label}.",
            way_out=_way_out(module, owner, model, field),
        )


def _rule(field: Any) -> str:
    if field.many_to_many:
        return rules.MANY_TO_MANY
    if not field.concrete:
        return rules.GENERIC_RELATION
    return rules.ONE_TO_ONE if field.one_to_one else rules.FOREIGN_KEY


def _way_out(module: StaticModule, owner: StaticModule, model: Any, field: Any) -> str:
    asking = ask(module, owner)
    match _rule(field):
        case rules.GENERIC_RELATION:
            return f"Drop it, and {asking}, with your own ids."
        case rules.MANY_TO_MANY:
            return (
                f"Keep the pairs in a table of {module.label} with the other side's id as a plain "
                f"field, and {asking}."
            )
        case rule:
            known = type(field.foreign_related_fields[0]).__name__  # several columns: the first
            unique = "unique=True" if rule == rules.ONE_TO_ONE else ""
            plain = f"{field.attname} = {_PLAIN.get(known, known)}({unique})"
            return (
                f"Keep the id as a plain field (`{plain}`), and {asking}: "
                f"`monolift loosen {named(model)}.{field.name}` does the migration."
            )
