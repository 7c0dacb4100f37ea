"""Random struct types, and random edits of them, as a developer would make them.

A shape is a plain tree, so that it can be edited and then made into a type. `Struct` is the one
that has most to edit; every other shape is a tuple whose first element is its kind.
"""

import datetime
import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Optional, Union
from uuid import UUID

import msgspec
from hypothesis import strategies as st

type Shape = tuple[Any, ...] | "Struct"

SCALARS: dict[str, Any] = {
    "int": int,
    "str": str,
    "bool": bool,
    "float": float,
    "UUID": UUID,
    "datetime": datetime.datetime,
    "date": datetime.date,
    "timedelta": datetime.timedelta,
    "Decimal": Decimal,
    "bytes": bytes,
}
_EXAMPLES: dict[str, Any] = {
    "int": 3,
    "str": "three",
    "bool": True,
    "float": 0.5,
    "UUID": UUID(int=3),
    "datetime": datetime.datetime(2026, 1, 3, tzinfo=datetime.UTC),
    "date": datetime.date(2026, 1, 3),
    "timedelta": datetime.timedelta(hours=3),
    "Decimal": Decimal("0.3"),
    "bytes": b"three",
}
KEYS = ("str", "int", "UUID", "date")
# Members of a union that JSON can tell apart.
UNITED = (("int",), ("bool",), ("str",), ("list", ("bool",)))
WORDS = ("red", "green", "blue", "grey")
FIELDS = ("one", "two", "three", "four", "five")
CLASSES = ("Line", "Item", "Part")
# What a field falls back to: it must be given, its type's example, or its type's other example.
DEFAULTS = ("required", "first", "second")


@dataclass(frozen=True)
class Struct:
    """A struct: (name, shape, default) of each field, and its options."""

    name: str
    fields: tuple[tuple[str, Shape, str], ...]
    omit_defaults: bool = False
    forbid_unknown_fields: bool = False
    tag: bool = False


@cache
def made(shape: Shape) -> Any:
    """The type of a shape; the same one for the same shape, as its defaults are values of it."""
    if isinstance(shape, Struct):
        fields = [
            (name, made(inner))
            if default == "required"
            else (name, made(inner), example(inner, first=default == "first"))
            for name, inner, default in shape.fields
        ]
        return msgspec.defstruct(
            shape.name,
            fields,
            frozen=True,
            kw_only=True,
            omit_defaults=shape.omit_defaults,
            forbid_unknown_fields=shape.forbid_unknown_fields,
            tag=shape.tag,
        )
    match shape:
        case ("optional", inner):
            return Optional[made(inner)]  # noqa: UP045 - of a type that is made here
        case ("list", inner):
            return tuple[made(inner), ...]
        case ("set", inner):
            return frozenset[made(inner)]
        case ("map", key, inner):
            return Mapping[made(key), made(inner)]
        case ("tuple", *inner):
            return tuple[tuple(made(one) for one in inner)]
        case ("enum", *words):
            return enum.Enum("Colour", {word.upper(): word for word in words})
        case ("literal", *words):
            return Literal[tuple(words)]
        case ("union", *members):
            return Union[tuple(made(one) for one in members)]  # noqa: UP007 - the members are known at run time only
        case ("small", limit):
            return Annotated[int, msgspec.Meta(ge=0, le=limit)]
        case ("short", limit):
            return Annotated[str, msgspec.Meta(max_length=limit)]
    return SCALARS[shape[0]]


def example(shape: Shape, *, first: bool) -> Any:
    """One of two values of a shape; equal ones for enums of one member."""
    if isinstance(shape, Struct):
        return made(shape)(**{name: example(one, first=first) for name, one, _ in shape.fields})
    match shape:
        case ("optional", inner):
            return None if first else example(inner, first=False)
        case ("list" | "set" | "map", *_):
            return {"list": tuple, "set": frozenset, "map": dict}[shape[0]]()
        case ("tuple", *inner):
            return tuple(example(one, first=first) for one in inner)
        case ("enum", *words):
            return made(shape)(words[0 if first else -1])
        case ("literal", *words):
            return words[0 if first else -1]
        case ("union", *members):
            return example(members[0], first=first)
        case ("small", _):
            return 0 if first else 1
        case ("short", _):
            return "" if first else "s"
    value = _EXAMPLES[shape[0]]
    return value if first else {"int": 4, "str": "four", "bool": False}.get(shape[0], value)


scalars = st.sampled_from(list(SCALARS)).map(lambda name: (name,))
words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True)
leaves = st.one_of(
    scalars,
    words.map(lambda chosen: ("enum", *chosen)),
    words.map(lambda chosen: ("literal", *chosen)),
    st.sampled_from([("small", 5), ("small", 9), ("short", 3), ("short", 4)]),
)


def _structs_of(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Struct]:
    field = st.tuples(st.sampled_from(FIELDS), inner, st.sampled_from(DEFAULTS))
    fields = st.lists(field, max_size=3, unique_by=lambda one: one[0]).map(tuple)
    rare = st.sampled_from([False, False, False, True])
    return st.builds(
        Struct, st.sampled_from(CLASSES), fields, omit_defaults=rare, forbid_unknown_fields=rare
    )


def _containers_of(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    united = st.lists(st.sampled_from(UNITED), min_size=2, max_size=3, unique=True)
    tagged = st.lists(_structs_of(leaves), min_size=2, max_size=3, unique_by=lambda one: one.name)
    key = st.sampled_from(KEYS).map(lambda name: (name,))
    return st.one_of(
        # An optional one of an optional one is an optional one.
        inner.filter(lambda one: isinstance(one, Struct) or one[0] != "optional").map(
            lambda one: ("optional", one)
        ),
        inner.map(lambda one: ("list", one)),
        scalars.map(lambda one: ("set", one)),
        st.tuples(st.just("map"), key, inner),
        st.lists(inner, min_size=1, max_size=2).map(lambda some: ("tuple", *some)),
        united.map(lambda some: ("union", *some)),
        tagged.map(lambda some: ("union", *(replace(one, tag=True) for one in some))),
        _structs_of(inner),
    )


shapes: st.SearchStrategy[Any] = st.recursive(leaves, _containers_of, max_leaves=5)
structs: st.SearchStrategy[Struct] = _structs_of(shapes)


@st.composite
def edited(draw: st.DrawFn, shape: Shape) -> Shape:
    """The shape after one edit, somewhere in it."""
    if isinstance(shape, Struct):
        return draw(_edited_struct(shape))
    if draw(st.integers(0, 5)) == 0:
        return draw(shapes)
    match shape:
        case ("optional", inner):
            return draw(st.just(inner) | edited(inner).map(_optional))
        case ("list" | "set", inner):
            other = {"list": "set", "set": "list"}[shape[0]]
            swapped = (
                [(other, inner)] if shape[0] == "set" or inner in [(s,) for s in SCALARS] else []
            )
            if shape[0] == "set":
                return draw(st.sampled_from([*swapped, ("set", ("int",)), ("set", ("str",))]))
            return draw(st.sampled_from(swapped or [shape]) | edited(inner).map(_list))
        case ("map", key, inner):
            keys = st.sampled_from(KEYS).map(lambda name: ("map", (name,), inner))
            return draw(keys | edited(inner).map(lambda one: ("map", key, one)))
        case ("tuple", *inner):
            longer = shapes.map(lambda one: ("tuple", *inner, one))
            return draw(longer | edited(inner[0]).map(lambda one: ("tuple", one, *inner[1:])))
        case ("enum" | "literal", *_):
            more = [(*shape, word) for word in WORDS if word not in shape]
            fewer = [shape[:-1]] if len(shape) > 2 else []
            other = {"enum": "literal", "literal": "enum"}[shape[0]]
            return draw(st.sampled_from([*more, *fewer, (other, *shape[1:])]))
        case ("union", *members):
            if isinstance(members[0], Struct):
                edit = edited(replace(members[0], tag=False)).filter(
                    lambda one: isinstance(one, Struct) and one.name not in _names(members[1:])
                )
                return draw(edit.map(lambda one: ("union", replace(one, tag=True), *members[1:])))
            other = st.lists(st.sampled_from(UNITED), min_size=2, max_size=3, unique=True)
            return draw(other.map(lambda some: ("union", *some)))
        case ("small" | "short", limit):
            return draw(st.sampled_from([(shape[0], limit + 1), (shape[0], limit - 1)]))
    return draw(st.just(_optional(shape)) | scalars)


@st.composite
def _edited_struct(draw: st.DrawFn, shape: Struct) -> Struct:
    fields = list(shape.fields)
    free = [name for name in FIELDS if name not in [one[0] for one in fields]]
    edits = ["omit", "forbid", "class", "move"]
    edits += ["add", "add", "add"] if free else []
    edits += ["remove", "default", "default", *["inner"] * 5] if fields else []
    edits += ["rename"] if fields and free else []
    edit = draw(st.sampled_from(edits))
    index = draw(st.integers(0, len(fields) - 1)) if fields else 0
    match edit:
        case "omit":
            return replace(shape, omit_defaults=not shape.omit_defaults)
        case "forbid":
            return replace(shape, forbid_unknown_fields=not shape.forbid_unknown_fields)
        case "class":
            return replace(shape, name=draw(st.sampled_from(CLASSES)))
        case "move":
            fields.reverse()
        case "add":
            default = draw(st.sampled_from(DEFAULTS))
            fields.append((draw(st.sampled_from(free)), draw(shapes), default))
        case "remove":
            del fields[index]
        case "rename":
            fields[index] = (draw(st.sampled_from(free)), *fields[index][1:])
        case "inner":
            name, inner, default = fields[index]
            fields[index] = (name, draw(edited(inner)), default)
        case "default":
            fields[index] = (*fields[index][:2], draw(st.sampled_from(DEFAULTS)))
    return replace(shape, fields=tuple(fields))


@st.composite
def histories(draw: st.DrawFn) -> tuple[Struct, Struct]:
    """A struct before and after one to three edits."""
    old = draw(structs)
    new = old
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        new = draw(_edited_struct(new))
    return old, new


def _optional(shape: Shape) -> Shape:
    if not isinstance(shape, Struct) and shape[0] == "optional":
        return shape
    return ("optional", shape)


def _list(shape: Shape) -> Shape:
    return ("list", shape)


def _names(members: list[Any]) -> list[str]:
    return [one.name for one in members]
