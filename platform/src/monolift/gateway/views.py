"""Whose view answers a request."""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

from django.http import HttpRequest

from monolift.registry.modules import module_of
from monolift.registry.scope import current


def attribute_view(request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any) -> None:
    """A middleware's `process_view`: note in the request's scope whose view is about to run."""
    scope = current()
    if scope.kind == "request" and scope.module is None:
        match = request.resolver_match
        scope.context = (
            "admin" if match is not None and "admin" in match.app_names else module_of_view(view)
        )


@lru_cache(maxsize=4096)
def module_of_view(view: Callable[..., Any]) -> str | None:
    """The label of the module that a view function belongs to; None outside the modules.

    Knows classes (`as_view()`, Django REST framework's included) and django-ninja's operations.
    """
    while isinstance(view, partial):
        view = view.func
    written: Any = getattr(view, "view_class", None) or getattr(view, "cls", None) or view
    for path in _held(view):
        # django-ninja: one function per path, around all operations of that path.
        for operation in getattr(path, "operations", ()):
            written = getattr(operation, "view_func", written)
    return module_of(getattr(written, "__module__", ""))


def _held(view: Callable[..., Any]) -> Iterator[Any]:
    for cell in getattr(view, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue  # an empty cell
