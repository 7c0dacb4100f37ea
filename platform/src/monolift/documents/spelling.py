"""How types, signatures and docstrings are spelled on a page: short, and the same every time."""

import enum
import inspect
import re
import types
import typing
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, get_args, get_origin

import msgspec

from monolift.kernel import Operation

_WIDTH = 88
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class Field(NamedTuple):
    """A field of a struct. `default` is empty when it has to be given."""

    name: str
    type: str
    default: str


def doc_of(declared: Any) -> str:
    """The docstring that something has itself, without indentation; empty when it has none."""
    text = vars(declared).get("__doc__") if isinstance(declared, type) else declared.__doc__
    if not isinstance(text, str):
        return ""
    # Django and dataclasses give a class without a docstring its fields instead.
    if isinstance(declared, type) and text.startswith(f"{declared.__name__}("):
        return ""
    return inspect.cleandoc(text)


def first_sentence(text: str) -> str:
    """A docstring's first paragraph in one line."""
    return " ".join(text.partition("\n\n")[0].split())


def type_text(hint: Any) -> str:
    """`Sequence[Sku]`, `UUID | None`: the names without where they are from."""
    if hint is None or hint is types.NoneType:
        return "None"
    if hint is Ellipsis:
        return "..."
    if isinstance(hint, str):
        return hint
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is typing.Annotated:
        return type_text(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return " | ".join(type_text(one) for one in arguments)
    if origin is typing.Literal:
        return f"Literal[{', '.join(default_text(one) for one in arguments)}]"
    name = getattr(origin or hint, "__qualname__", None) or getattr(hint, "__name__", str(hint))
    if arguments:
        return f"{name}[{', '.join(type_text(one) for one in arguments)}]"
    return str(name)


def default_text(value: Any) -> str:
    """A default as one would write it."""
    if isinstance(value, enum.Enum):
        return f"{type(value).__qualname__}.{value.name}"
    if isinstance(value, frozenset | set):
        inside = ", ".join(sorted(default_text(one) for one in value))
        return f"{type(value).__name__}({{{inside}}})" if value else f"{type(value).__name__}()"
    return _ADDRESS.sub("", repr(value))


def signature_text(operation: Operation) -> str:
    """The method as its interface declares it, over several lines where it is long."""
    parameters = [
        _parameter(parameter, operation.hints[parameter.name])
        for parameter in operation.signature.parameters.values()
    ]
    return _call(operation.method, parameters, type_text(operation.returns))


def function_text(name: str, arguments: type[msgspec.Struct]) -> str:
    """A function by the struct of its arguments."""
    parameters = [
        f"{one.name}: {one.type}" + (f" = {one.default}" if one.default else "")
        for one in fields_of(arguments)
    ]
    return _call(name, parameters, "")


def _parameter(parameter: inspect.Parameter, hint: Any) -> str:
    text = f"{parameter.name}: {type_text(hint)}"
    if parameter.default is inspect.Parameter.empty:
        return text
    return f"{text} = {default_text(parameter.default)}"


def _call(name: str, parameters: list[str], returns: str) -> str:
    starred = ["*", *parameters] if parameters else []
    end = f") -> {returns}" if returns else ")"
    line = f"{name}({', '.join(starred)}{end}"
    if len(line) <= _WIDTH:
        return line
    return f"{name}(\n" + "".join(f"    {one},\n" for one in starred) + end


def fields_of(struct: type[msgspec.Struct]) -> list[Field]:
    """The fields of a struct in order."""
    found = []
    for field in msgspec.structs.fields(struct):
        default = ""
        if field.default is not msgspec.NODEFAULT:
            default = default_text(field.default)
        elif field.default_factory is not msgspec.NODEFAULT:
            default = f"{getattr(field.default_factory, '__name__', 'made')}()"
        found.append(Field(field.name, type_text(field.type), default))
    return found


def types_of_fields(struct: type[msgspec.Struct]) -> list[Any]:
    """The type hints of a struct's fields."""
    return [field.type for field in msgspec.structs.fields(struct)]


def types_in(hints: Iterable[Any]) -> list[type[Any]]:
    """The project's structs and enums in type hints and in each other, by name.

    Those of the library, as Money, every page may take as known.
    """
    found: dict[type[Any], None] = {}
    pending = list(hints)
    while pending:
        for one in _classes(pending.pop()):
            if one in found or one.__module__.startswith("monolift."):
                continue
            found[one] = None
            if issubclass(one, msgspec.Struct):
                pending += types_of_fields(one)
    return sorted(found, key=lambda one: (one.__qualname__, one.__module__))


def _classes(hint: Any) -> Iterator[type[Any]]:
    if isinstance(hint, typing.NewType):
        yield from _classes(hint.__supertype__)
    elif isinstance(hint, typing.TypeAliasType):
        yield from _classes(hint.__value__)
    elif arguments := get_args(hint):
        if get_origin(hint) is not typing.Literal:
            for one in arguments:
                yield from _classes(one)
    elif isinstance(hint, type) and issubclass(hint, msgspec.Struct | enum.Enum):
        yield hint
