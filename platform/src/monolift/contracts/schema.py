"""Types as JSON Schema (draft 2020-12), with the named ones as components.

Built on msgspec's inspection of the types that its codec decodes. `msgspec.json.schema_components`
would be shorter and is not enough to find breaking changes: it writes a `datetime` like a `str`,
leaves out the types of mapping keys, and knows nothing of `omit_defaults`. What JSON Schema has no
word for is in keywords that begin with `x-`; a validator ignores them.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, cast

import msgspec
from msgspec import inspect

from monolift.kernel import MonoliftError
from monolift.kernel.names import owner_of

type Schema = dict[str, Any]

REFERENCE = "#/$defs/"

_PLAIN: dict[type[inspect.Type], Schema] = {
    inspect.AnyType: {},
    inspect.RawType: {},
    inspect.NoneType: {"type": "null"},
    inspect.BoolType: {"type": "boolean"},
    inspect.IntType: {"type": "integer"},
    inspect.FloatType: {"type": "number"},
    inspect.StrType: {"type": "string"},
    inspect.BytesType: {"type": "string", "contentEncoding": "base64"},
    inspect.DateTimeType: {"type": "string", "format": "date-time"},
    inspect.DateType: {"type": "string", "format": "date"},
    inspect.TimeType: {"type": "string", "format": "time"},
    inspect.TimeDeltaType: {"type": "string", "format": "duration"},
    inspect.UUIDType: {"type": "string", "format": "uuid"},
    inspect.DecimalType: {"type": "string", "format": "decimal"},
}
_CONSTRAINTS = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
    "tz": "x-timezone",
}
_LENGTHS = {"array": "Items", "object": "Properties", "string": "Length"}


class ContractError(MonoliftError):
    """A contract cannot be written down, read or compared. Names it and the way out."""


class Components:
    """The named types of one contract, collected while its schemas are built."""

    def __init__(self) -> None:
        self._names: dict[Any, str] = {}
        self.schemas: dict[str, Schema] = {}

    def schema(self, wire_type: Any) -> Schema:
        """The schema of a type; a struct or an enum in it becomes a reference to a component."""
        return self._of(inspect.type_info(wire_type))

    def fields(self, struct: type[msgspec.Struct]) -> Schema:
        """The schema of a struct that is no component itself: arguments, an event, an error."""
        return self._struct(cast("inspect.StructType", inspect.type_info(struct)))

    def _of(self, info: inspect.Type) -> Schema:
        match info:
            case inspect.Metadata():
                return self._of(info.type)
            case inspect.StructType():
                return self._component(info.cls, lambda: self._struct(info))
            case inspect.EnumType():
                return self._component(info.cls, lambda: _choice(e.value for e in info.cls))
            case inspect.LiteralType():
                return _choice(info.values)
            case inspect.UnionType():
                return {"anyOf": [self._of(member) for member in info.types]}
            case inspect.TupleType():
                count = len(info.item_types)
                items = [self._of(item) for item in info.item_types]
                return {"type": "array", "prefixItems": items, "minItems": count, "maxItems": count}
            case inspect.SetType() | inspect.FrozenSetType():
                return self._array(info) | {"uniqueItems": True}
            case inspect.ListType() | inspect.VarTupleType():
                return self._array(info)
            case inspect.DictType() | inspect.FrozenDictType():
                return {
                    "type": "object",
                    "propertyNames": self._key(info.key_type),
                    "additionalProperties": self._of(info.value_type),
                    **_limits(info, "object"),
                }
        if type(info) not in _PLAIN:
            raise ContractError(
                f"{getattr(info, 'cls', type(info).__name__)!r} cannot be in a contract. Use a Dto."
            )
        plain = _PLAIN[type(info)]
        return plain | _limits(info, plain.get("type", ""))

    def _array(self, info: Any) -> Schema:
        return {"type": "array", "items": self._of(info.item_type), **_limits(info, "array")}

    def _key(self, info: inspect.Type) -> Schema:
        """The type of a mapping's keys, which JSON writes as strings whatever they are."""
        if isinstance(info, inspect.EnumType | inspect.LiteralType):
            values = info.values if isinstance(info, inspect.LiteralType) else [*info.cls]
            return _choice(str(getattr(value, "value", value)) for value in values)
        schema = self._of(info)
        if schema.get("type") in ("integer", "number"):
            return {**schema, "type": "string", "x-number": schema["type"]}
        return schema

    def _component(self, cls: Any, build: Callable[[], Schema]) -> Schema:
        name = self._names.get(cls)
        if name is None:
            name = self._names[cls] = self._name(cls)
            self.schemas[name] = {}  # so that a type that contains itself finds its name taken
            self.schemas[name] = build()
        return {"$ref": REFERENCE + name}

    def _name(self, cls: Any) -> str:
        plain = re.sub(r"\W+", "_", getattr(cls, "__name__", None) or str(cls)).strip("_")
        owned = f"{owner_of(cls.__module__)}.{plain}"
        taken = set(self._names.values())
        numbered = (f"{owned}.{number}" for number in range(2, len(taken) + 3))
        return next(name for name in (plain, owned, *numbered) if name not in taken)

    def _struct(self, info: inspect.StructType) -> Schema:
        if info.array_like:
            raise ContractError(
                f"{info.cls.__module__}.{info.cls.__qualname__} is array_like: its fields have no "
                "names on the wire, so none could ever be added or removed. Take array_like=True "
                "away."
            )
        properties: dict[str, Schema] = {}
        required = []
        if info.tag_field is not None:
            properties[info.tag_field] = {"enum": [info.tag]}
            required.append(info.tag_field)
        for field in info.fields:
            properties[field.encode_name] = self._of(field.type) | _default(field)
            if field.required:
                required.append(field.encode_name)
        schema: Schema = {"type": "object", "properties": properties, "required": sorted(required)}
        if info.forbid_unknown_fields:
            schema["additionalProperties"] = False
        origin: Any = getattr(info.cls, "__origin__", info.cls)
        if origin.__struct_config__.omit_defaults:
            schema["x-omit-defaults"] = True
        return schema


def _default(field: inspect.Field) -> Schema:
    if field.default is not msgspec.NODEFAULT:
        return {"default": msgspec.to_builtins(field.default, str_keys=True)}
    if field.default_factory in (list, dict, set, frozenset, tuple):
        return {"default": msgspec.to_builtins(field.default_factory())}
    return {}


def _choice(values: Iterable[Any]) -> Schema:
    return {"enum": sorted(values, key=lambda value: (type(value).__name__, value))}


def _limits(info: Any, kind: str) -> Schema:
    found = {
        keyword: getattr(info, name)
        for name, keyword in _CONSTRAINTS.items()
        if getattr(info, name, None) is not None
    }
    for name, prefix in (("min_length", "min"), ("max_length", "max")):
        if getattr(info, name, None) is not None:
            found[prefix + _LENGTHS[kind]] = getattr(info, name)
    return found
