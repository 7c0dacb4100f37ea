"""What verbs print: aligned columns for people, one JSON document for programs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


def as_json(document: Any) -> str:
    """A JSON document; times in ISO 8601, UTC."""
    return json.dumps(document, indent=2, ensure_ascii=False, default=_plain)


def columns(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table, its columns as wide as their widest cell; the last one is not padded."""
    table = [list(titles), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[index]) for row in table) for index in range(len(titles))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )


def pairs(values: Mapping[str, Any]) -> str:
    """One `name  value` a line, those without a value left out."""
    shown = {name: _cell(value) for name, value in values.items() if value not in (None, "")}
    width = max((len(name) for name in shown), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in shown.items())


def without_secrets(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields with the values hidden whose names say that they are secret."""
    from monolift.observe.logs import hide_secrets

    return hide_secrets(None, "", dict(fields))


def short(text: str, *, width: int = 60) -> str:
    """One line of a text, cut to a width."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= width else line[: width - 3] + "..."


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return value if isinstance(value, str) else json.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
