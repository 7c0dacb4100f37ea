"""What is kept of a request under its key, to know the same request again, and another one.

The release that looks a key up may be newer or older than the one that stored it: a saga goes on
after a deploy, and during a rolling deploy a repetition may reach either. So there is a digest for
each field, nested ones by their path, and two fingerprints are compared in the fields that both
know. A default may have changed in between: what its sender left out was filled in with another
value, so a field is alike too when both hold what was their default.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import cache
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

_encode = msgspec.json.encode
_SIZE = 6
"""Bytes of a digest. A mistake passes once in 2**48; nobody gains by passing one on purpose, since
a key belongs to its caller and gives the first answer only."""


class _Parts(NamedTuple):
    """What stands at one path, in order; there are several in a list of structs."""

    full: list[Any]
    given: list[Any]
    """Without the defaults: one is only marked, by an empty list, and what is in it is left out."""


type _Found = dict[str, _Parts]


def fingerprint(arguments: msgspec.Struct) -> str:
    """A JSON object: for each field its digest, then, if it differs, that without defaults."""
    found: _Found = {}
    _gather(arguments, "", found, given=True)
    digests = {
        path: _digest(parts.full)
        if parts.full == parts.given
        else f"{_digest(parts.full)} {_digest(parts.given)}"
        for path, parts in found.items()
    }
    return msgspec.json.encode(digests).decode()


def alike(one: str, other: str) -> bool:
    """Whether two fingerprints may be of one request, as far as both know its fields."""
    if one == other:
        return True
    if not (one.startswith("{") and other.startswith("{")):
        return True  # written before there was a digest for each field: nothing to compare
    first, second = (msgspec.json.decode(text, type=dict[str, str]) for text in (one, other))
    return all(_agree(first[path], second[path]) for path in first.keys() & second.keys())


def _agree(one: str, other: str) -> bool:
    full, _, given = one.partition(" ")
    other_full, _, other_given = other.partition(" ")
    return full == other_full or (" " in one and " " in other and given == other_given)


def _gather(value: Any, path: str, found: _Found, *, given: bool) -> Any:
    """The value with what its structs hold put away under their paths; `given`: no default."""
    match value:
        case str() | int() | UUID() | None:  # most are, and the abstract classes below are slow
            return value
        case msgspec.Struct():
            for field in _fields(type(value)):
                below = f"{path}.{field.wire_name}" if path else field.wire_name
                part = getattr(value, field.name)
                default = field.default != b"" and _canonical(part) == field.default
                parts = found.setdefault(below, _Parts([], []))
                plain = [_gather(part, below, found, given=given and not default)]
                parts.full.append(plain)
                if given:
                    parts.given.append([] if default else plain)
            return {"tag": value.__struct_config__.tag}
        case Mapping():
            ordered = sorted(value.items(), key=lambda item: _encode(item[0]))
            pairs = [[key, _gather(part, path, found, given=given)] for key, part in ordered]
            return {"pairs": pairs}
        case list() | tuple():
            return [_gather(part, path, found, given=given) for part in value]
        case AbstractSet():
            return _unordered(value, path, found, given=given)
    return value


def _unordered(members: AbstractSet[Any], path: str, found: _Found, *, given: bool) -> list[Any]:
    """A set has no order, and one by whole members would change with a field that is added."""
    own: _Found = {}
    plain = [_gather(member, path, own, given=given) for member in members]
    for below, parts in own.items():
        known = found.setdefault(below, _Parts([], []))
        known.full.append(sorted(parts.full, key=_encode))
        known.given.append(sorted(parts.given, key=_encode))
    return sorted(plain, key=_encode)


class _Field(NamedTuple):
    name: str
    wire_name: str
    default: bytes
    """As it is compared; empty without one."""


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[_Field, ...]:
    return tuple(
        _Field(field.name, field.encode_name, _default(field))
        for field in msgspec.structs.fields(kind)
    )


def _default(field: msgspec.structs.FieldInfo) -> bytes:
    if field.default_factory is not msgspec.NODEFAULT:
        return _canonical(field.default_factory())
    return b"" if field.default is msgspec.NODEFAULT else _canonical(field.default)


def _digest(parts: list[Any]) -> str:
    return blake2b(_encode(parts), digest_size=_SIZE).hexdigest()


def _canonical(value: Any) -> bytes:
    """Equal for equal values, in whatever order a mapping or a set holds them."""
    found: _Found = {}
    plain = _gather(value, "", found, given=False)
    inside = sorted((path, parts.full) for path, parts in found.items())
    return _encode([plain, inside] if inside else plain)
