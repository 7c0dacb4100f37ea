"""Where a module's public endpoints are, and which of them another deployable could answer."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from monolift.gateway.views import module_of_view


@dataclass(frozen=True, kw_only=True)
class Routes:
    """The prefixes of a module's endpoints: `/api/v1/inventory`."""

    free: tuple[str, ...]
    """Nobody has to sign in there, so they can be answered anywhere."""
    guarded: tuple[str, ...]
    """Somebody signs in there: the accounts are at the edge, so these stay."""


@dataclass(frozen=True, kw_only=True)
class _Route:
    fixed: tuple[str, ...]
    """The segments before the first parameter."""
    module: str | None
    guarded: bool


def routes_of(*, module: str) -> Routes:
    """The shortest prefixes that lead to endpoints of a module and to nothing else."""
    found = list(_leaves(get_resolver().url_patterns, ""))
    prefixes: dict[str, bool] = {}
    for route in found:
        if route.module == module and route.fixed:
            prefix = _prefix(route, found)
            prefixes[prefix] = prefixes.get(prefix, False) or route.guarded
    return Routes(
        free=tuple(sorted(prefix for prefix, guarded in prefixes.items() if not guarded)),
        guarded=tuple(sorted(prefix for prefix, guarded in prefixes.items() if guarded)),
    )


def _prefix(route: _Route, found: Iterable[_Route]) -> str:
    others = [one.fixed for one in found if one.module != route.module]
    for count in range(1, len(route.fixed) + 1):
        start = route.fixed[:count]
        if not any(other[:count] == start for other in others):
            break
    return "/" + "/".join(route.fixed[:count])


def _leaves(patterns: Iterable[URLPattern | URLResolver], above: str) -> Iterator[_Route]:
    for pattern in patterns:
        if not isinstance(pattern.pattern, RoutePattern):
            continue  # a regular expression has no prefix that anybody could read
        whole = above + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from _leaves(pattern.url_patterns, whole)
            continue
        fixed = whole.partition("<")[0]
        segments = fixed.split("/") if fixed == whole else fixed.split("/")[:-1]
        yield _Route(
            fixed=tuple(segment for segment in segments if segment),
            module=module_of_view(pattern.callback),
            guarded=any(_guards(pattern.callback)),
        )


def _guards(view: Any) -> Iterator[bool]:
    """Whether django-ninja, or Django REST framework, asks there who it is."""
    for cell in getattr(view, "__closure__", None) or ():
        for operation in getattr(cell.cell_contents, "operations", ()):
            yield bool(getattr(operation, "auth_callbacks", ()))
    written = getattr(view, "cls", None)
    permissions = getattr(written, "permission_classes", ())
    yield any(getattr(one, "__name__", "") != "AllowAny" for one in permissions)
