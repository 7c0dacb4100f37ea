"""Loads the project whose code is rewritten."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monolift.codemods.errors import CodemodError

if TYPE_CHECKING:
    from django.apps import AppConfig


def load(*, settings: str, root: Path) -> None:
    """Load Django with the settings, `root` first on the path. Raises CodemodError."""
    import django
    from django.apps import apps
    from django.core.exceptions import ImproperlyConfigured
    from django.utils import translation

    if apps.ready:
        translation.deactivate_all()
        return
    for folder in (root / "src", root):
        if folder.is_dir() and str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise CodemodError(f"The settings {settings!r} cannot be used: {error}") from None
    except Exception as error:
        raise CodemodError(
            f"The project cannot be loaded with the settings {settings!r}: "
            f"{type(error).__name__}: {error}. `manage.py check` with the same settings says more."
        ) from error
    # As `makemigrations` does: a migration holds texts as they are written, not as translated.
    translation.deactivate_all()


def app(label: str) -> "AppConfig":
    """The installed app of that label. Raises CodemodError."""
    from django.apps import apps

    try:
        return apps.get_app_config(label)
    except LookupError:
        known = ", ".join(sorted(config.label for config in apps.get_app_configs()))
        raise CodemodError(f"There is no app {label!r}. Installed: {known}.") from None


def model(name: str) -> Any:
    """The model `app.Model`. Raises CodemodError."""
    label, dot, own = name.partition(".")
    if not dot or not own or "." in own:
        raise CodemodError(f"{name!r} names no model. Write app_label.Model, as in shop.Stock.")
    config = app(label)
    try:
        return config.get_model(own)
    except LookupError:
        known = ", ".join(sorted(model.__name__ for model in config.get_models())) or "none"
        raise CodemodError(
            f"The app {label!r} has no model {own!r}. It has: {known}. "
            "An abstract model has no table, so there is nothing to move or to loosen."
        ) from None


def offering(cls: Any) -> tuple[str, ...]:
    """The modules the class is imported from: its own, and packages of models around it."""
    found = [cls.__module__]
    top = cls._meta.app_config.models_module.__name__
    name = cls.__module__
    while name != top and "." in name:
        name = name.rpartition(".")[0]
        if getattr(sys.modules.get(name), cls.__name__, None) is cls:
            found.append(name)
    if top not in found and getattr(sys.modules[top], cls.__name__, None) is cls:
        found.append(top)
    return tuple(found)


def concrete(base: type) -> list[Any]:
    """The models that inherit from an abstract one."""
    found: list[Any] = []
    child: Any
    for child in base.__subclasses__():
        meta = getattr(child, "_meta", None)
        if meta is not None and not meta.abstract and "__fake__" not in child.__module__:
            found.append(child)
        found += concrete(child)
    return found
