"""Which types may cross a boundary, checked where they are declared."""

import collections.abc
import datetime
import decimal
import enum
import types
import typing
import uuid
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from monolift.kernel.errors import DeclarationError

_SCALARS = (
    bool,
    int,
    float,
    str,
    bytes,
    type(None),
    uuid.UUID,
    datetime.datetime,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
)
_CONTAINERS = (
    tuple,
    frozenset,
    collections.abc.Sequence,
    collections.abc.Mapping,
    collections.abc.Set,
    collections.abc.Collection,
)
_MUTABLE = {list: "Sequence", dict: "Mapping", set: "frozenset"}


def check(wire_type: Any, *, declared: Any, where: str) -> None:
    """Raise DeclarationError unless `wire_type` is plain data that JSON can carry both ways."""
    if isinstance(wire_type, typing.NewType):
        return check(wire_type.__supertype__, declared=declared, where=where)
    if isinstance(wire_type, typing.TypeAliasType):
        return check(wire_type.__value__, declared=declared, where=where)
    origin = get_origin(wire_type)
    if origin in (typing.Union, types.UnionType) or origin in _CONTAINERS:
        for argument in get_args(wire_type):
            if argument is not Ellipsis:
                check(argument, declared=declared, where=where)
        return None
    if origin is typing.Annotated:
        return check(get_args(wire_type)[0], declared=declared, where=where)
    if origin is typing.Literal:
        return None
    bare = origin or wire_type
    if bare in _MUTABLE:
        raise DeclarationError.at(
            declared,
            f"{where} is a {bare.__name__}, which can be changed after it was passed.",
            f"Declare it as {_MUTABLE[bare]}[...].",
        )
    if isinstance(bare, type) and (
        bare in _SCALARS or issubclass(bare, (msgspec.Struct, enum.Enum)) or bare in _CONTAINERS
    ):
        return None
    raise DeclarationError.at(
        declared,
        f"{where} has the type {getattr(bare, '__qualname__', bare)!s}, "
        "which cannot cross a module boundary.",
        "Use plain data: str, int, bool, UUID, datetime, Decimal, Money, an Enum, a Dto, "
        "or Sequence, Mapping, tuple and frozenset of them.",
    )


def hints_of(declared: Any) -> dict[str, Any] | None:
    """Resolved annotations, or None while a name in them is not defined yet."""
    try:
        return get_type_hints(declared, include_extras=True)
    except NameError:
        return None


def check_fields(struct: type[msgspec.Struct]) -> None:
    """Check every field of a struct; postponed to `ready()` while a name is not defined yet."""
    for name, annotation in (hints_of(struct) or {}).items():
        if name in struct.__struct_fields__:
            check(annotation, declared=struct, where=f"{struct.__name__}.{name}")
