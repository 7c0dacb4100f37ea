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

    routes: Mapping[str, tuple[str, ...]]
    """The modules that every `namespace:name` belongs to in some way, the surest first: that of the
    list it stands in, of the view that answers, of the namespace's name."""

    def module_of_url(self, name: str) -> str:
        """The module that a URL's name belongs to; empty when it is none."""
        return next(iter(self.routes.get(name, ())), "")


def is_own_url(words: Vocabulary, label: str, name: str) -> bool:
    """Whether a URL's name is a module's own, be it answered by a view that another one wrote."""
    return isinstance(words, Resolved) and label in words.routes.get(name, ())


def with_routes(words: Vocabulary) -> tuple[Vocabulary, str]:
    """The vocabulary with the project's URLs; unchanged, and why, when they cannot be loaded."""
    from django.urls import get_resolver

    try:
        resolver = get_resolver()
        answered = list(_named(words, resolver, (), _module_of(words.project, resolver)))
    except (Exception, SystemExit) as error:
        text = " ".join(str(error).split()).rstrip(".")
        return words, (
            f"The URLs cannot be loaded ({type(error).__name__}: {text}); their names are taken "
            "from urls.py files."
        )
    routes: defaultdict[str, list[str]] = defaultdict(list)
    for name, labels in answered:
        routes[name] += [label for label in labels if label and label not in routes[name]]
    fields = {name: getattr(words, name) for name in words.__struct_fields__}
    return Resolved(**fields, routes={name: tuple(labels) for name, labels in routes.items()}), ""


def _named(
    words: Vocabulary, resolver: Any, spaces: tuple[str, ...], owner: str
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(name, modules it belongs to) of every URL below a resolver."""
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            space = pattern.namespace
            listed = _module_of(words.project, pattern)
            yield from _named(words, pattern, (*spaces, space) if space else spaces, listed)
        elif pattern.name:
            view = _module_of(words.project, pattern.callback)
            space = words.module_of_table(f"{spaces[-1]}_") if spaces else ""
            yield ":".join((*spaces, str(pattern.name))), (owner, view, space)


def _module_of(project: Project, given: Any) -> str:
    """The label of the module that a view or a list of URLs was written in; empty for others."""
    while isinstance(given, partial):
        given = given.func
    listed = getattr(given, "urlconf_name", None)
    if listed is not None:
        name = listed if isinstance(listed, str) else getattr(listed, "__name__", "")
    else:
        view = inspect.unwrap(given)
        kind = getattr(view, "view_class", None) or getattr(view, "cls", None) or view
        name = getattr(kind, "__module__", "")
    found = project.module_at(str(name))
    return found.label if found else ""
