"""What must not cross a boundary although Python would let it: rows, querysets, generators.

They are alive: reading them runs statements on the tables of the module that made them. The codec
refuses them by itself; a direct call needs this look.
"""

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from types import NoneType
from typing import Any

import msgspec
from django.db.models import Manager, Model, QuerySet
from django.db.models.query import RawQuerySet
from django.utils.functional import LazyObject, Promise

from monolift.kernel import CallFailed, Operation

_PLAIN = frozenset({str, bytes, int, float, bool, NoneType})
_ROWS = "Give plain data: a tuple of Dtos, made before the call ends."


def refuse_live(operation: Operation, value: Any, what: str) -> None:
    """Raise CallFailed when a value holds something alive, however deep; `what` names it.

    A look costs time in proportion to the value's size.
    """
    found = live(value)
    if found is not None:
        raise CallFailed(operation.name, f"{what}: {found}")


def live(value: Any) -> str | None:
    """The first live thing in a value, with the way out; None when all is plain data."""
    if type(value) in _PLAIN:
        return None
    found = _described(value)
    if found is not None:
        return found
    for part in _parts(value):
        found = live(part)
        if found is not None:
            return found
    return None


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, msgspec.Struct):
        return (getattr(value, name) for name in value.__struct_fields__)
    if isinstance(value, Mapping):
        return (part for pair in value.items() for part in pair)
    if isinstance(value, list | tuple | set | frozenset):
        return value
    return ()


def _described(value: Any) -> str | None:
    if issubclass(type(value), Promise | LazyObject):  # whose __class__ is another's
        return "a lazy object. Give the value itself, for a text `str(...)`."
    match value:
        case Model():
            return f"an instance of the model {value._meta.label}. {_ROWS}"
        case QuerySet() | RawQuerySet() | Manager():
            model = value.model
            name = model._meta.label if model is not None else "no model"
            return f"a {type(value).__name__} of {name}, which reads when it is used. {_ROWS}"
        case Iterator() | KeysView() | ValuesView() | ItemsView():
            return f"a {type(value).__name__}, which is not data yet. Give `tuple(...)` of it."
        case _:
            return None
