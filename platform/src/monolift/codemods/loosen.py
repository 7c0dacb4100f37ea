"""Takes a relation apart, one step at a time."""

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from monolift.codemods import loosen_notes, loosen_source
from monolift.codemods.errors import CodemodError
from monolift.codemods.loading import concrete, model, offering
from monolift.codemods.migration_files import History
from monolift.codemods.tree import Tree


class Loosened(msgspec.Struct, frozen=True, kw_only=True):
    """What a step did."""

    step: str
    """What the relation was and is, in one line."""
    advice: tuple[str, ...]
    """What the database or Django did, and who does it from now on."""
    migration: str
    """As `app.name`."""


def loosen(name: str, *, tree: Tree) -> Loosened:
    """Take the next step of the relation `app.Model.field`, within `tree`; nothing is saved.

    A relation with a constraint loses it; one without becomes a plain field. Raises CodemodError
    when it cannot be done, before anything is changed on the disk.
    """
    owner, dot, field_name = name.rpartition(".")
    if not dot or "." not in owner:
        raise CodemodError(
            f"{name!r} names no field. Write app_label.Model.field, as in orders.Line.product."
        )
    cls = model(owner)
    field = _relation(cls, field_name)
    declared, path = _declaring(cls, field, tree)
    history = History()
    history.refuse_pending([cls._meta.app_label])
    if field.db_constraint:
        key = _without_constraint(cls, field, tree, history, declared, path)
        step = f"{name} has no constraint in the database any more. Run again for the next step."
    else:
        _refuse_uses(cls, field)
        key = _plain(cls, field, tree, history, declared, path)
        step = f"{name} is the plain field {field.attname!r} now, on the same column."
    return Loosened(
        step=step,
        advice=tuple(loosen_notes.advice(cls, field)),
        migration=".".join(key),
    )


def _relation(cls: Any, name: str) -> Any:
    from django.core.exceptions import FieldDoesNotExist
    from django.db.models import ForeignKey

    meta = cls._meta
    try:
        field = meta.get_field(name)
    except FieldDoesNotExist:
        known = ", ".join(field.name for field in meta.get_fields() if field.concrete)
        raise CodemodError(f"{meta.label} has no field {name!r}. It has: {known}.") from None
    if field.many_to_many and not field.auto_created:
        raise CodemodError(
            f"{meta.label}.{name} is a ManyToManyField. Make the table between a model of its own "
            "(through=...) and loosen the foreign key in it."
        )
    if not isinstance(field, ForeignKey):
        raise CodemodError(
            f"{meta.label}.{name} is no ForeignKey and no OneToOneField: nothing to loosen."
        )
    if field.name != name:
        raise CodemodError(f"{meta.label}.{name} is the column of {field.name!r}: name that.")
    if field.remote_field.parent_link:
        raise CodemodError(
            f"{meta.label}.{name} links to the table it inherits. A table that is inherited cannot "
            "be loosened: make it a OneToOneField of an independent model first."
        )
    if meta.proxy or field.model is not cls:
        raise CodemodError(
            f"{meta.label} has {name!r} from {field.model._meta.label}: name that model."
        )
    return field


def _declaring(cls: Any, field: Any, tree: Tree) -> tuple[str, Path]:
    """The class that declares the field, the model or an abstract base, and its file."""
    found = cls
    for base in cls.__mro__[1:]:
        meta = getattr(base, "_meta", None)
        if meta is None or not meta.abstract:
            continue
        if any(other.name == field.name for other in meta.local_fields):
            others = [child._meta.label for child in concrete(base) if child is not cls]
            if others:
                raise CodemodError(
                    f"{cls._meta.label} has {field.name!r} from the abstract {base.__name__} in "
                    f"{base.__module__}, and so has {others[0]}. Declare the field in "
                    f"{cls.__name__} itself first; that needs no migration."
                )
            found = base
    path = Path(str(sys.modules[found.__module__].__file__)).resolve()
    if not tree.holds(path):
        raise CodemodError(
            f"{found.__name__}, which declares {cls._meta.label}.{field.name}, lies outside the "
            f"project {tree.root} (in {path}). Say --root for the folder that holds it."
        )
    return found.__name__, path


def _refuse_uses(cls: Any, field: Any) -> None:
    """Raise CodemodError for what needs a relation and cannot do with a plain field."""
    from django.apps import apps

    meta = cls._meta
    shown = f"{meta.label}.{field.name}"
    wrt = meta.order_with_respect_to
    if wrt is not None and getattr(wrt, "name", wrt) == field.name:
        raise CodemodError(
            f"{meta.label} is ordered with respect to {field.name!r}. Replace "
            "order_with_respect_to by a field of its own first."
        )
    for other in apps.get_models():
        for relation in other._meta.local_many_to_many:
            if relation.remote_field.through is cls and field.remote_field.model in {
                relation.model,
                relation.remote_field.model,
            }:
                raise CodemodError(
                    f"{other._meta.label}.{relation.name} goes through {meta.label} and needs "
                    f"{shown}. Remove that ManyToManyField first."
                )


def _without_constraint(
    cls: Any, field: Any, tree: Tree, history: History, declared: str, path: Path
) -> tuple[str, str]:
    from django.db import migrations

    meta = cls._meta
    state = history.model(meta.app_label, cls.__name__)
    new = state.fields[field.name].clone()
    new.db_constraint = False
    tree.write(
        path,
        loosen_source.without_constraint(
            tree.read(path), model=declared, field=field.name, shown=tree.shown(path)
        ),
    )
    return history.add(
        tree,
        label=meta.app_label,
        name=f"{meta.model_name}_{field.name}_without_constraint",
        summary=f"{cls.__name__}.{field.name} loses its constraint; the rows stay as they are.",
        dependencies=[history.last(field.remote_field.model._meta.app_label)],
        operations=[migrations.AlterField(meta.model_name, field.name, new)],
    )


def _plain(
    cls: Any, field: Any, tree: Tree, history: History, declared: str, path: Path
) -> tuple[str, str]:
    from django.db import migrations

    meta = cls._meta
    state = history.model(meta.app_label, cls.__name__)
    plain = plain_field(state.fields[field.name], field)
    family = (cls, *concrete(cls))
    change = loosen_source.Change(
        declared=declared,
        paths=frozenset(
            f"{module}.{member.__name__}" for member in family for module in offering(member)
        ),
        own=_own(family),
        field=field.name,
        column=field.attname,
        target=field.target_field.attname,
        key=field.target_field.primary_key,
        type=type(plain).__name__,
        arguments=tuple(
            (key, repr(value))
            for key, value in plain.deconstruct()[3].items()
            if key in {"max_length", "max_digits", "decimal_places", "db_collation"}
            or key in {"unique", "db_index"}
        ),
        required=not field.null,
        ordered_alike=not field.remote_field.model._meta.ordering,
    )
    tree.write(path, loosen_source.plain(tree.read(path), change=change, shown=tree.shown(path)))
    for file in tree.python():
        text = tree.read(file)
        if field.name in text and tree.valid(file):
            new = loosen_source.queries(
                text,
                change=change,
                module=tree.module(file),
                package=file.name == "__init__.py",
            )
            if new != text:
                tree.write(file, new)
    loosen_notes.note(cls, field, tree)
    operations = _state_operations(cls, field, state, plain)
    return history.add(
        tree,
        label=meta.app_label,
        name=f"{meta.model_name}_{field.name}_is_a_plain_field",
        summary=f"{cls.__name__}.{field.name} becomes {field.attname}; the column stays.",
        dependencies=[],
        operations=[migrations.SeparateDatabaseAndState(state_operations=operations)],
    )


def _own(family: Sequence[Any]) -> frozenset[str]:
    """What the models and their managers do in their own way, of what queries are written with."""
    creates, lookups = loosen_source.CREATES, loosen_source.LOOKUPS
    found: set[str] = set()
    for member in family:
        if not member.__init__.__module__.startswith("django."):
            found |= {"__init__", *creates}
        for manager in member._meta.managers:
            kinds = [type(manager), manager._queryset_class]
            # The project's own code, which may need what only a request has.
            with contextlib.suppress(Exception):
                kinds.append(type(manager.get_queryset()))
            for name in creates | lookups | loosen_source.NAMED:
                for kind in kinds:
                    method = getattr(kind, name, None)
                    if method and not str(method.__module__).startswith("django."):
                        found.add(name)
    # Django's own call each other: get_or_create calls create, and get calls filter.
    for names in (creates, lookups):
        if found & names:
            found |= names
    return frozenset(found)


def plain_field(state: Any, field: Any) -> Any:
    """The plain field with the column, type and index of a relation (`field`, bound to a model).

    `state` is the relation as the migrations have it.
    """
    from django.db import models

    target = field.target_field
    while target.remote_field is not None:
        target = target.target_field
    kinds: dict[type, type] = {
        models.BigAutoField: models.BigIntegerField,
        models.SmallAutoField: models.SmallIntegerField,
        models.AutoField: models.IntegerField,
        models.PositiveBigIntegerField: models.PositiveBigIntegerField,
    }
    kind = next((new for old, new in kinds.items() if isinstance(target, old)), None)
    arguments: dict[str, Any] = {}
    if kind is None:
        _, dotted, _, arguments = target.deconstruct()
        if not dotted.startswith("django.db.models."):
            raise CodemodError(
                f"{field.model._meta.label}.{field.name} refers to a {dotted}, whose plain twin is "
                "not known. Write the field by hand."
            )
        kind = type(target)
        arguments = {
            key: value
            for key, value in arguments.items()
            if key in {"max_length", "max_digits", "decimal_places", "db_collation"}
        }
    given = state.deconstruct()[3]
    for key in (
        "null", "blank", "default", "db_default", "verbose_name", "help_text", "editable",
        "serialize", "validators", "error_messages", "db_comment", "db_column", "db_tablespace",
        "primary_key", "choices", "unique_for_date", "unique_for_month", "unique_for_year",
    ):  # fmt: skip
        if key in given:
            arguments[key] = given[key]
    if field.primary_key:
        pass
    elif field.unique:
        arguments["unique"] = True
    elif field.db_index:
        arguments["db_index"] = True
    return kind(**arguments)


def _state_operations(cls: Any, field: Any, state: Any, plain: Any) -> list[Any]:
    """Rename and retype the field in Django's state, with the indexes that name it."""
    from django.db import migrations

    low = cls._meta.model_name
    old, new = field.name, field.attname
    before: list[Any] = []
    after: list[Any] = []
    for index in state.options.get("indexes", ()):
        if changed := loosen_source.renamed(index, old, new):
            before.append(migrations.RemoveIndex(low, index.name))
            after.append(migrations.AddIndex(low, changed))
    for constraint in state.options.get("constraints", ()):
        if changed := loosen_source.renamed(constraint, old, new):
            before.append(migrations.RemoveConstraint(low, constraint.name))
            after.append(migrations.AddConstraint(low, changed))
    operations: list[Any] = [
        *before,
        migrations.RenameField(low, old, new),
        migrations.AlterField(low, new, plain),
    ]
    ordering = state.options.get("ordering")
    names = {old: new, f"-{old}": f"-{new}"}
    alike = not field.remote_field.model._meta.ordering
    if alike and any(name in names for name in ordering or () if isinstance(name, str)):
        kept = {
            key: value
            for key, value in state.options.items()
            if key in migrations.AlterModelOptions.ALTER_OPTION_KEYS
        }
        kept["ordering"] = [names.get(name, name) for name in ordering]
        operations.append(migrations.AlterModelOptions(low, kept))
    return [*operations, *after]
