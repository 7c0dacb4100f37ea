"""Sends each module's models to the module's database, and the platform's tables to every one."""

from typing import Any

from monolift.kernel import CallRefused
from monolift.registry.databases import own_module, owning_alias
from monolift.registry.modules import is_module, modules
from monolift.registry.places import DEFAULT_ALIAS, here
from monolift.registry.scope import current
from monolift.registry.topology import topology

_PLATFORM = "monolift_db"


class ModuleRouter:
    """Put it into DATABASE_ROUTERS; other apps fall through to the routers behind it."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        """The alias of the model's module."""
        return self._alias(model._meta.app_label)

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        """The alias of the model's module."""
        return self._alias(model._meta.app_label)

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool | None:
        """Relations between two modules are refused, on whichever database they are."""
        labels = {one._meta.app_label, other._meta.app_label}
        if len(labels) == 2 and len(labels & modules().keys()) == 2:
            return False
        return None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """A module's tables exist on its alias, and on the databases that are for it alone; the
        platform's wherever a module may be. What two aliases share is made by the owner's.
        """
        own = own_module(db)
        if own is not None and owning_alias(db) != db:
            return False
        if app_label == _PLATFORM:
            return own is not None or db in {DEFAULT_ALIAS, *_module_aliases()}
        if app_label in modules():
            return app_label == own if own else db == owning_alias(topology().alias(app_label))
        return db == DEFAULT_ALIAS if own or db in _module_aliases() else None

    def _alias(self, label: str) -> str | None:
        if label == _PLATFORM:
            return topology().alias(current().module)
        if not is_module(label):
            return None
        scope = current()
        outer = scope.outer
        begun = outer is not None and label in (scope.module, outer.module)
        if begun and scope.alias is not None:
            return scope.alias  # a transaction stays where it began, whatever is moved meanwhile
        # An operation of the module itself began when it was here, and ends here.
        known = topology()
        if not known.hosts(label) and not (scope.managed and scope.module == label):
            raise CallRefused(
                f"A model of {label} is used in the deployable {here()!r}, but {label} and its "
                f"tables are in {known.place(label).deployable!r}. Call its interface."
            )
        return known.alias(label)


def _module_aliases() -> set[str]:
    return {topology().alias(label) for label in modules()}
