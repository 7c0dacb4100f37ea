"""The loaded models: whose each is, and where its relations lead."""

from collections import defaultdict
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist

from monolift.boundaries.project import Project, StaticModule


class Hop(NamedTuple):
    """One step of a lookup path."""

    model: Any
    field: Any
    joins: bool
    """The other table is needed even when the path ends here."""


class Accessor(NamedTuple):
    """An attribute that a relation puts on the model it points to."""

    owner: Any
    """The model that has the attribute."""
    related: Any
    """The model whose rows it reads."""
    many: bool


class ModelGraph:
    """Answers questions about the models of a project whose Django is set up."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.models: list[Any] = list(apps.get_models())
        self._modules = {
            config.label: self._module(config.label, Path(config.path).resolve())
            for config in apps.get_app_configs()
        }

    def _module(self, label: str, path: Path) -> StaticModule | None:
        """An installed package may have the label that one of the modules has."""
        found = self.project.by_label.get(label)
        inside = found and any(path.is_relative_to(folder) for folder in found.folders)
        return found if inside else None

    def module_of_app(self, label: str) -> StaticModule | None:
        """The module of an app; None when the app is no module's."""
        return self._modules.get(label)

    def module_of(self, model: Any) -> StaticModule | None:
        """The module of a model; None when it is neutral."""
        return self._modules.get(model._meta.app_label)

    def label_of(self, model: Any) -> str:
        """The label of a model's module; empty when it is neutral."""
        module = self.module_of(model)
        return module.label if module else ""

    @cached_property
    def own(self) -> list[tuple[StaticModule, Any]]:
        """The models of modules, each with its module."""
        return [
            (module, model)
            for model in self.models
            if (module := self.module_of(model)) is not None
        ]

    @cached_property
    def of_module(self) -> dict[str, list[Any]]:
        """The models of each module by its label."""
        found: defaultdict[str, list[Any]] = defaultdict(list)
        for module, model in self.own:
            found[module.label].append(model)
        return found

    @cached_property
    def by_path(self) -> dict[str, Any]:
        """Models by the dotted name of their class."""
        return {f"{model.__module__}.{model.__qualname__}": model for model in self.models}

    @cached_property
    def _takers(self) -> dict[str, list[Any]]:
        """The models that take an abstract one, by the dotted name of its class."""
        found: defaultdict[str, list[Any]] = defaultdict(list)
        for model in self.models:
            for kind in model.__mro__:
                if getattr(getattr(kind, "_meta", None), "abstract", False):
                    found[f"{kind.__module__}.{kind.__qualname__}"].append(model)
        return found

    def models_at(self, name: str, label: str) -> list[Any]:
        """The model whose class has this dotted name; for an abstract one all that take it.

        Those of the module `label` come first: the others inherit it from there.
        """
        if name in self.by_path:
            return [self.by_path[name]]
        return sorted(
            self._takers.get(name, ()),
            key=lambda model: (self.label_of(model) != label, named(model)),
        )

    @cached_property
    def tables(self) -> dict[str, str]:
        """The label of the module by the names of its tables, in lower case."""
        return {
            model._meta.db_table.strip('"').rpartition('"."')[2].lower(): label
            for model in apps.get_models(include_auto_created=True)
            if not model._meta.proxy and model._meta.managed and (label := self.label_of(model))
        }

    @cached_property
    def accessors(self) -> dict[str, list[Accessor]]:
        """The reverse accessors that lead into modules, by name."""
        found: defaultdict[str, list[Accessor]] = defaultdict(list)
        for model in self.models:
            for relation in model._meta.related_objects:
                if relation.field.one_to_many:
                    continue  # a generic relation's name for queries is no attribute
                name = relation.get_accessor_name()
                inherited = relation.model._meta.concrete_model is not model
                if name and not inherited and self.label_of(relation.related_model):
                    many = bool(relation.multiple)
                    found[name].append(Accessor(model, relation.related_model, many))
        return found

    @cached_property
    def forward(self) -> set[str]:
        """Names of many-to-many relations, which read like reverse accessors."""
        return {field.name for model in self.models for field in model._meta.many_to_many}

    @cached_property
    def words(self) -> dict[str, set[str]]:
        """Names in whose absence code of a module cannot leave it, by the module's label.

        They are the names of relations that lead from anywhere into another module, and of the
        reverse accessors inside one: its rows may be passed along.
        """
        into: defaultdict[str, set[str]] = defaultdict(set)
        for model in self.models:
            start = self.label_of(model)
            for field in model._meta.get_fields():
                related = getattr(field, "related_model", None)
                if related is None or isinstance(related, str):
                    continue
                target = self.label_of(related)
                if target and field.auto_created and not field.concrete:
                    into[target].add(field.get_accessor_name() or field.name)
                if target and target != start:
                    into[target].add(field.name)
        return {
            module.label: set().union(
                *(names for target, names in into.items() if target != module.label)
            )
            for module in self.project.modules
        }

    def hop(self, model: Any, name: str, *, accessor: bool = False) -> Hop | None:
        """Where a part of a lookup path leads; None when it is no relation.

        `accessor` means that a reverse relation goes by its attribute, as prefetch_related does.
        """
        if accessor:
            for relation in model._meta.related_objects:
                if relation.get_accessor_name() == name and not relation.field.one_to_many:
                    return Hop(relation.related_model, relation, joins=True)
        try:
            field: Any = model._meta.get_field(name)
        except FieldDoesNotExist:
            return None
        related = getattr(field, "related_model", None)
        if not field.is_relation or related is None or isinstance(related, str):
            return None
        reverse = bool(field.auto_created and not field.concrete)
        if accessor and reverse:
            return None
        # A many-to-many relation at the end of a path is the table between, no more.
        return Hop(related, field, joins=reverse or bool(field.one_to_many))


def named(model: Any) -> str:
    """`label.Model`."""
    return f"{model._meta.app_label}.{model.__name__}"


def ask(asking: StaticModule, target: StaticModule) -> str:
    """How one module asks another, in the imperative."""
    if not target.house:
        return f"ask {target.label} through an interface of it that takes and returns plain values"
    folder = asking.packages[0].replace(".", "/")
    return f"ask {target.packages[0]}.interface, which {folder}/requires.py imports"
