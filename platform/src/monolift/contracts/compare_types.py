"""The differences between two schemas, by the rules of `monolift.contracts.rules`."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from monolift.contracts.schema import REFERENCE, Schema

type Components = dict[str, Schema]

# Keywords that say what a value is, and those that say how long or large it may be.
_TYPE = ("type", "format", "contentEncoding", "uniqueItems", "x-number")
_LIMITS = (
    "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf pattern x-timezone "
    "minLength maxLength minItems maxItems minProperties maxProperties"
).split()
_PARTS = (
    "items prefixItems properties required propertyNames additionalProperties anyOf enum $ref "
    "x-omit-defaults"
).split()
_NAMES = {
    "date-time": "datetime",
    "duration": "timedelta",
    "uuid": "UUID",
    "decimal": "Decimal",
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
}
_MISSING: Any = object()


class Report(Protocol):
    """Takes one difference: the rule and what happened, in words."""

    def __call__(self, rule: str, words: str) -> None: ...


class Where(NamedTuple):
    """A place in a contract, in words; `inside` begins the name of a field in it."""

    text: str
    inside: str = ""

    def field(self, name: str) -> "Where":
        """A field of what is here."""
        return Where(f"{self.inside or self.text + '.'}{name}")

    def part(self, suffix: str) -> "Where":
        """An item, a key or a value of what is here."""
        return Where(f"{self.text}{suffix}")


class TypeComparison:
    """Compares the schemas of one contract; each pair of components once, under their own names."""

    def __init__(self, *, old: Components, new: Components, report: Report) -> None:
        self._old = old
        self._new = new
        self._report = report
        self._seen: set[tuple[str, str]] = set()

    def compare(self, old: Schema, new: Schema, where: Where) -> None:
        """Report how the type in a place has changed."""
        old_null, old_types = self._alternatives(old, self._old)
        new_null, new_types = self._alternatives(new, self._new)
        if old_null != new_null:
            now = "may be None now" if new_null else "may no longer be None"
            self._report("null", f"{where.text} {now}")
        if len(old_types) == len(new_types) == 1:
            (one,), (other,) = old_types, new_types
            if "$ref" in one and "$ref" in other:
                self._components(one["$ref"], other["$ref"])
            else:
                self._one(one, other, where)
        else:
            self._union(old_types, new_types, where)

    def fields(self, old: Schema, new: Schema, where: Where) -> None:
        """Report how the fields of a struct have changed."""
        before, after = old["properties"], new["properties"]
        for name in sorted(before.keys() - after.keys()):
            self._report("field removed", f"{where.field(name).text} was removed")
        for name in sorted(after.keys() - before.keys()):
            self._added(name, old, new, where)
        for name in sorted(before.keys() & after.keys()):
            self._default(name, old, new, where.field(name).text)
            self.compare(_typed(before[name]), _typed(after[name]), where.field(name))
        if old.get("additionalProperties") != new.get("additionalProperties"):
            closed = "forbids" if "additionalProperties" in new else "allows"
            self._report("closed", f"{where.text} {closed} unknown fields now")
        if old.get("x-omit-defaults") != new.get("x-omit-defaults"):
            does = "leaves defaults out" if "x-omit-defaults" in new else "writes defaults"
            self._report("omit defaults", f"{where.text} {does} now")

    def _added(self, name: str, old: Schema, new: Schema, where: Where) -> None:
        what = f"{where.field(name).text} was added"
        if "additionalProperties" in old:
            self._report("field added to a closed struct", what)
        elif name in new["required"]:
            self._report("field added without a default", f"{what} without a default")
        else:
            self._report("field added with a default", f"{what}{_and_default(new, name)}")

    def _default(self, name: str, old: Schema, new: Schema, where: str) -> None:
        omitted = "x-omit-defaults" in old or "x-omit-defaults" in new
        if name in old["required"] and name not in new["required"]:
            rule = "default added where omitted" if "x-omit-defaults" in new else "default added"
            self._report(rule, f"{where} has a default now{_and_default(new, name)}")
        elif name in new["required"] and name not in old["required"]:
            self._report("default removed", f"{where} has no default any more")
        else:
            before = old["properties"][name].get("default", _MISSING)
            after = new["properties"][name].get("default", _MISSING)
            if before is not after and _text(before) != _text(after):
                rule = "default changed where omitted" if omitted else "default changed"
                self._report(
                    rule, f"the default of {where} was {_text(before)} and is {_text(after)}"
                )

    def _components(self, old_ref: str, new_ref: str) -> None:
        old, new = old_ref.removeprefix(REFERENCE), new_ref.removeprefix(REFERENCE)
        if (old, new) in self._seen:
            return
        self._seen.add((old, new))
        where = Where(old)
        if old != new:
            self._report("renamed type", f"{old} is called {new} now")
            where = Where(f"{old} (now {new})")
        self._one(self._old[old], self._new[new], where)

    def _one(self, old: Schema, new: Schema, where: Where) -> None:
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        if "enum" in old and "enum" in new:
            self._choices(old, new, where)
        elif "properties" in old and "properties" in new:
            self.fields(old, new, where)
        elif _kind(old) != _kind(new):
            self._report("type", f"{where.text} was {describe(old)} and is {describe(new)}")
        else:
            self._limits(old, new, where)
            for part, suffix in (("items", "[]"), ("additionalProperties", "{}")):
                if part in old:
                    self.compare(old[part], new[part], where.part(suffix))
            if "propertyNames" in old:
                keys = Where(f"the key of {where.text}")
                self.compare(old["propertyNames"], new["propertyNames"], keys)
            pairs = zip(old.get("prefixItems", ()), new.get("prefixItems", ()), strict=True)
            for index, (before, after) in enumerate(pairs):
                self.compare(before, after, where.part(f"[{index}]"))

    def _choices(self, old: Schema, new: Schema, where: Where) -> None:
        before = {_text(value): value for value in old["enum"]}
        after = {_text(value): value for value in new["enum"]}
        for value in sorted(before.keys() - after.keys()):
            self._report("choice removed", f"{where.text} can no longer be {value}")
        for value in sorted(after.keys() - before.keys()):
            self._report("choice added", f"{where.text} can be {value} now")
        if old.get("x-number") != new.get("x-number"):
            self._report("type", f"{where.text} was {describe(old)} and is {describe(new)}")

    def _limits(self, old: Schema, new: Schema, where: Where) -> None:
        if "prefixItems" in old:
            return
        for keyword in _LIMITS:
            if old.get(keyword) != new.get(keyword):
                was, now = (_text(side.get(keyword, "none")) for side in (old, new))
                name = keyword.removeprefix("x-")
                self._report("limit", f"the {name} of {where.text} was {was} and is {now}")

    def _union(self, old: list[Schema], new: list[Schema], where: Where) -> None:
        before = {self._label(one, self._old): one for one in old}
        after = {self._label(one, self._new): one for one in new}
        for label in sorted(before.keys() - after.keys()):
            self._report("union", f"{where.text} can no longer be {describe(before[label])}")
        for label in sorted(after.keys() - before.keys()):
            self._report("union", f"{where.text} can be {describe(after[label])} now")
        for label in sorted(before.keys() & after.keys()):
            self.compare(before[label], after[label], where)

    def _alternatives(self, schema: Schema, components: Components) -> tuple[bool, list[Schema]]:
        members = schema.get("anyOf", [schema])
        types = [one for one in members if one.get("type") != "null"]
        return len(types) != len(members), types

    def _label(self, schema: Schema, components: Components) -> str:
        """What tells a member of a union from the others on the wire: JSON type and tag."""
        schema = _resolved(schema, components)
        if "enum" in schema:
            kinds = {type(value).__name__ for value in schema["enum"]}
            return "string" if kinds == {"str"} else "integer" if kinds == {"int"} else "enum"
        tags = [
            (name, one["enum"])
            for name, one in sorted(schema.get("properties", {}).items())
            if len(one.get("enum", ())) == 1
        ]
        return f"{schema.get('type')} {tags or ''}".strip()


def describe(schema: Schema) -> str:
    """A type in words, as one would write it in Python."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(REFERENCE)
    if "enum" in schema:
        return "one of " + ", ".join(_text(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(describe(one) for one in schema["anyOf"])
    if "contentEncoding" in schema:
        return "bytes"
    if "properties" in schema:
        return "a struct of " + (", ".join(sorted(schema["properties"])) or "nothing")
    if "prefixItems" in schema:
        return f"tuple[{', '.join(describe(one) for one in schema['prefixItems'])}]"
    if schema.get("type") == "array":
        outer = "frozenset" if schema.get("uniqueItems") else "Sequence"
        return f"{outer}[{describe(schema['items'])}]"
    if schema.get("type") == "object":
        key, value = describe(schema["propertyNames"]), describe(schema["additionalProperties"])
        return f"Mapping[{key}, {value}]"
    name = schema.get("x-number") or schema.get("format") or schema.get("type") or "anything"
    return _NAMES.get(name, name)


def _kind(schema: Schema) -> Any:
    """What must be equal before two types are looked into."""
    known = {*_TYPE, *_LIMITS, *_PARTS, "default"}
    return (
        *(schema.get(keyword) for keyword in _TYPE),
        *(part in schema for part in ("enum", "properties", "items", "propertyNames")),
        len(schema.get("prefixItems", ())) if "prefixItems" in schema else None,
        _text({name: value for name, value in schema.items() if name not in known}),
    )


def _resolved(schema: Schema, components: Components) -> Schema:
    if "$ref" in schema:
        return components[schema["$ref"].removeprefix(REFERENCE)]
    return schema


def _typed(schema: Schema) -> Schema:
    return {keyword: value for keyword, value in schema.items() if keyword != "default"}


def _and_default(struct: Schema, name: str) -> str:
    default = struct["properties"][name].get("default", _MISSING)
    return "" if default is _MISSING else f", {_text(default)}"


_text_of: Callable[[Any], str] = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode


def _text(value: Any) -> str:
    return "computed" if value is _MISSING else _text_of(value)
