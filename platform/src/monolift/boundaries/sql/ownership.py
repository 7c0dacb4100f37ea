"""Which module owns which table, by Django's registry of models."""

import re
from collections.abc import Iterator

from django.apps import apps
from django.db.models import Model

from monolift.registry.modules import is_module, module_of

_WORD = re.compile(r"\w+")


class Ownership:
    """The tables of all modules at one moment, known by name whatever their schema and case.

    A table that no model has, or whose model belongs to no module (accounts, sessions, content
    types, the platform's own), belongs to nobody: who touches it is not judged.
    """

    def __init__(self, models: list[type[Model]]) -> None:
        self.models = models
        self._owners: dict[str, str] = {}
        for managed in (False, True):  # who migrates a table owns it, not who also reads it
            for model in models:
                if model._meta.managed is managed and not model._meta.proxy:
                    owner = _module(model)
                    if owner is not None:
                        self._owners[bare(model._meta.db_table)] = owner
                    elif managed:
                        self._owners.pop(bare(model._meta.db_table), None)
        # Names that are not one word cannot be found among a statement's words.
        self._odd = [name for name in self._owners if not _WORD.fullmatch(name)]

    def owner(self, table: str) -> str | None:
        """The module of a table."""
        return self._owners.get(table.lower())

    def mentioned(self, sql: str) -> frozenset[str]:
        """The modules whose tables may be in a statement: too many perhaps, never too few."""
        return frozenset(self._owners[name] for name in self._named(sql.lower()))

    def named(self, sql: str) -> dict[str, str]:
        """The same modules, each with one of these tables."""
        return {self._owners[name]: name for name in sorted(self._named(sql.lower()))}

    def _named(self, sql: str) -> Iterator[str]:
        for word in set(_WORD.findall(sql)):
            if word in self._owners:
                yield word
        for name in self._odd:
            if name in sql:
                yield name


def bare(db_table: str) -> str:
    """The table's own name of a model's `db_table`, which may hold a schema: `sales"."order`."""
    return db_table.rpartition('"."')[2].strip('"').lower()


def _module(model: type[Model]) -> str | None:
    label = model._meta.app_label
    return label if is_module(label) else module_of(model._meta.app_config.name)


_known: Ownership | None = None


def ownership() -> Ownership:
    """Who owns what now; looked up anew when a model or an app was added."""
    global _known
    models = apps.get_models(include_auto_created=True)  # Django's own cache: the same list
    if _known is None or _known.models is not models:
        _known = Ownership(models)
    return _known
