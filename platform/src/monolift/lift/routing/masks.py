"""Comparing two answers, but for what may differ: clocks, fresh ids, the order of some lists.

    MONOLIFT = {
        "SHADOW_MASKS": {
            "inventory.available": {"ignore": ["*.counted_at"], "unordered": ["lines"]},
            "*": {"ignore": ["**.generated_at"]},
        }
    }

A path names fields and keys from the answer inward, joined by dots; `*` is any one of them, `**` at
its beginning any number. What is in a list or tuple has its place for a name. Sets have no order.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any, NamedTuple

import msgspec
from django.core.signals import setting_changed

from monolift.kernel import Operation
from monolift.observe.logs import SECRETS
from monolift.registry.settings import setting

DEFAULTS = ("**.as_of", "**.now", "**.generated_at", "**.request_id", "**.trace_id")
"""Paths that are ignored everywhere: what tells when, and for whom, an answer was made."""
SHOWN = 120
"""Characters of a value that a report shows."""


class Masks(NamedTuple):
    """What may differ in the answers of an operation."""

    ignored: tuple[tuple[str, ...], ...]
    unordered: tuple[tuple[str, ...], ...]


class Difference(msgspec.Struct, frozen=True):
    """One place in which two answers differ."""

    path: str
    here: str
    there: str


def differences(operation: Operation, here: Any, there: Any) -> list[Difference]:
    """The places in which two answers of an operation differ, masks applied."""
    return list(_compare(here, there, (), masks_of(operation.name)))


@cache
def masks_of(operation: str) -> Masks:
    """What the project declared for an operation and for all, with the defaults."""
    declared: Mapping[str, Mapping[str, Sequence[str]]] = setting("SHADOW_MASKS")
    those = [declared.get(name, {}) for name in ("*", operation)]
    ignored = [*DEFAULTS, *(path for one in those for path in one.get("ignore", ()))]
    unordered = [path for one in those for path in one.get("unordered", ())]
    return Masks(_split(ignored), _split(unordered))


def _split(paths: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(path.split(".")) for path in paths)


def _matches(path: tuple[str, ...], patterns: tuple[tuple[str, ...], ...]) -> bool:
    return any(_fits(path, pattern) for pattern in patterns)


def _fits(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if pattern[0] == "**":
        pattern = pattern[1:]
        path = path[-len(pattern) :]
    return len(path) == len(pattern) and all(
        want in ("*", name) for name, want in zip(path, pattern, strict=True)
    )


def _compare(here: Any, there: Any, path: tuple[str, ...], masks: Masks) -> Iterator[Difference]:
    if path and _matches(path, masks.ignored):
        return
    if isinstance(here, msgspec.Struct) and type(here) is type(there):
        for name in here.__struct_fields__:
            yield from _compare(getattr(here, name), getattr(there, name), (*path, name), masks)
    elif isinstance(here, Mapping) and isinstance(there, Mapping):
        for key in {**here, **there}:
            inner = (*path, str(key))
            if key in here and key in there:
                yield from _compare(here[key], there[key], inner, masks)
            elif not _matches(inner, masks.ignored):
                yield _difference(inner, here.get(key, _NOTHING), there.get(key, _NOTHING))
    elif isinstance(here, AbstractSet) and isinstance(there, AbstractSet):
        yield from _unordered(list(here), list(there), path, masks)
    elif isinstance(here, list | tuple) and isinstance(there, list | tuple):
        if _matches(path, masks.unordered):
            yield from _unordered(here, there, path, masks)
        elif len(here) != len(there):
            yield _difference(path, f"{len(here)} items", f"{len(there)} items")
        else:
            for number, (one, other) in enumerate(zip(here, there, strict=True)):
                yield from _compare(one, other, (*path, str(number)), masks)
    elif here != there:
        yield _difference(path, here, there)


def _unordered(
    here: Sequence[Any], there: Sequence[Any], path: tuple[str, ...], masks: Masks
) -> Iterator[Difference]:
    """Each has its like on the other side; what has none is a difference."""
    left = list(there)
    alone = []
    for one in here:
        inner = (*path, "*")
        like = next((other for other in left if not any(_compare(one, other, inner, masks))), left)
        if like is left:
            alone.append(one)
        else:
            left.remove(like)
    if alone or left:
        yield _difference(path, alone, left)


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


_NOTHING = _Nothing()


def _difference(path: tuple[str, ...], here: Any, there: Any) -> Difference:
    if SECRETS.intersection(path):
        return Difference(".".join(path), "***", "***")
    return Difference(".".join(path), _shown(here), _shown(there))


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def _forget(**_: Any) -> None:
    masks_of.cache_clear()


setting_changed.connect(_forget, dispatch_uid="monolift.lift.routing.masks")
