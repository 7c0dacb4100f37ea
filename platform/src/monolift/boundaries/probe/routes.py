"""Which module answers a URL's name, as the running project resolves it.

Files alone cannot say that where apps share a namespace or build their patterns in classes.
"""

import inspect
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from monolift.boundaries.project import Project
from monolift.boundaries.vocabulary import Vocabulary


class Resolved(Vocabulary, frozen=True, kw_only=True, dict=True):
    """A vocabulary that knows the project's URLs."""

    routes: Mapping[str, str]
    """`namespace:name` of every URL, with the label of the only module that answers it."""

    def module_of_url(self, name: str) -> str:
        """The module whose view answers; empty when none does, or several do."""
        return self.routes.get(name, "")


def with_routes(words: Vocabulary) -> tuple[Vocabulary, str]:
    """The vocabulary with the project's URLs; unchanged, and why, when they cannot be loaded."""
    from django.urls import get_resolver

    try:
        answered = list(_named(get_resolver(), ()))
    except (Exception, SystemExit) as error:
        text = " ".join(str(error).split()).rstrip(".")
        return words, (
            f"The URLs cannot be loaded ({type(error).__name__}: {text}); their names are taken "
            "from urls.py files."
        )
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, view in answered:
        found[name].add(_module_of(words.project, view))
    routes = {name: min(labels) for name, labels in found.items() if len(labels) == 1}
    fields = {name: getattr(words, name) for name in words.__struct_fields__}
    return Resolved(**fields, routes={name: label for name, label in routes.items() if label}), ""


def _named(resolver: Any, spaces: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            space = pattern.namespace
            yield from _named(pattern, (*spaces, space) if space else spaces)
        elif pattern.name:
            yield ":".join((*spaces, str(pattern.name))), pattern.callback


def _module_of(project: Project, view: Any) -> str:
    """The label of the module that a view was written in; empty for an installed package's."""
    while isinstance(view, partial):
        view = view.func
    view = inspect.unwrap(view)
    kind = getattr(view, "view_class", None) or getattr(view, "cls", None) or view
    found = project.module_at(str(getattr(kind, "__module__", "")))
    return found.label if found else ""
