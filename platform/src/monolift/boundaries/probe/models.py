"""Relations and inheritance between modules, as Django's registry of models knows them."""

from collections.abc import Iterator
from typing import Any

from monolift.boundaries.probe.places import Places
from monolift.boundaries.project import Project
from monolift.boundaries.violations import Violation


def model_violations(project: Project) -> Iterator[Violation]:
    """Every relation of a model of one module to a model of another; every inherited table."""
    from django.apps import apps

    places = Places(project)
    for model in apps.get_models():
        module = project.by_label.get(model._meta.app_label)
        if module is not None and _is_own(project, model, module.label):
            yield from _inherited(project, places, model, module.label)
            yield from _related(project, places, model, module.label)


def _is_own(project: Project, model: Any, label: str) -> bool:
    """An installed package's model may carry a label that one of the modules has too."""
    at = project.module_at(model.__module__)
    return at is None or at.label == label


def _inherited(project: Project, places: Places, model: Any, label: str) -> Iterator[Violation]:
    for base in model.__bases__:
        meta = getattr(base, "_meta", None)
        if meta is None or meta.abstract:
            continue
        target = project.by_label.get(meta.app_label)
        if target is not None and target.label != label:
            how = "is a proxy of" if model._meta.proxy else "inherits the table of"
            yield _violation(
                places, model, "", label, "inherited-model", _named(base),
                f"{model.__name__} {how} {_named(base)}, a model of {target.label}.",
            )  # fmt: skip


def _related(project: Project, places: Places, model: Any, label: str) -> Iterator[Violation]:
    from django.contrib.contenttypes.fields import GenericForeignKey

    meta = model._meta
    for field in (*meta.local_fields, *meta.local_many_to_many, *meta.private_fields):
        if field.auto_created or getattr(field, "model", model) is not model:
            continue
        if isinstance(field, GenericForeignKey):
            yield _violation(
                places, model, field.name, label, "generic-foreign-key", "*",
                f"{model.__name__}.{field.name} may point into any module's tables.",
            )  # fmt: skip
            continue
        for target in _targets(field):
            module = project.by_label.get(target._meta.app_label)
            if module is not None and module.label != label:
                yield _violation(
                    places, model, field.name, label, _rule(field), _named(target),
                    f"{model.__name__}.{field.name} is a relation to {_named(target)}, a table of "
                    f"{module.label}.",
                )  # fmt: skip


def _targets(field: Any) -> Iterator[Any]:
    related = getattr(field, "related_model", None)
    if related is None or isinstance(related, str) or field.remote_field is None:
        return
    if getattr(field.remote_field, "parent_link", False):
        return  # it is inheritance
    yield related
    through = getattr(field.remote_field, "through", None)
    if through is not None and not isinstance(through, str) and not through._meta.auto_created:
        yield through


def _rule(field: Any) -> str:
    from django.contrib.contenttypes.fields import GenericRelation

    if isinstance(field, GenericRelation):
        return "generic-relation"
    if field.many_to_many:
        return "many-to-many"
    return "one-to-one" if field.one_to_one else "foreign-key"


def _named(model: Any) -> str:
    return f"{model._meta.app_label}.{model.__name__}"


def _violation(
    places: Places, model: Any, field: str, label: str, rule: str, target: str, message: str
) -> Violation:
    # What an abstract model brings is undone there, once for all models of the module that take it.
    path, line, definer = places.of(model, field)
    return Violation(
        module=label,
        rule=rule,
        source=f"{definer.__module__}.{definer.__qualname__}.{field}".rstrip("."),
        target=target,
        path=path,
        line=line,
        message=message,
        way_out="",
    )
