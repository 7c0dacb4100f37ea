"""Structs and enums on a page: their fields, or their values."""

import enum
from collections.abc import Iterable
from typing import Any

import msgspec

from monolift.documents.markdown import code, codes, prose, table
from monolift.documents.spelling import Field, default_text, doc_of, fields_of, first_sentence


def field_table(fields: Iterable[Field]) -> str:
    """A row for each field."""
    return table(
        ("field", "type", "default"),
        [(code(one.name), code(one.type), code(one.default)) for one in fields],
    )


def told(types: Iterable[type[Any]]) -> str:
    """A heading in bold for each type, and what it holds."""
    return "\n\n".join(filter(None, map(_type, types)))


def _type(one: type[Any]) -> str:
    about = prose(first_sentence(doc_of(one)))
    head = f"**{code(one.__qualname__)}**" + (f" {about}" if about else "")
    if issubclass(one, enum.Enum):
        values = codes(default_text(member.value) for member in one)
        return f"{head}\n\nOne of: {values}."
    if issubclass(one, msgspec.Struct):
        return "\n\n".join(filter(None, (head, field_table(fields_of(one)))))
    return ""
