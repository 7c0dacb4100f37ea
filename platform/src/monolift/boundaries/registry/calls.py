"""Which calls and attributes hold lookup paths, and what each does with them."""

import ast
from collections.abc import Iterator

from monolift.boundaries.registry.paths import Use

_KEYWORDS = frozenset(
    ("filter", "exclude", "get", "aget", "get_or_create", "aget_or_create", "update_or_create",
     "aupdate_or_create", "get_object_or_404", "aget_object_or_404", "get_list_or_404",
     "aget_list_or_404", "Q", "When")
)  # fmt: skip
_COMPARED = frozenset(
    ("values", "values_list", "only", "defer", "distinct", "dates", "datetimes", "F", "OuterRef",
     "Count", "Sum", "Avg", "Max", "Min", "StdDev", "Variance", "ArrayAgg", "StringAgg", "JSONBAgg",
     "Coalesce", "Concat", "Lower", "Upper", "Length", "Greatest", "Least", "Cast", "Trim",
     "TruncDate", "TruncDay", "TruncWeek", "TruncMonth", "TruncYear", "ExtractYear",
     "ExtractMonth", "SearchVector", "FilteredRelation", "ExpressionWrapper", "Q")
)  # fmt: skip
_ORDERED = frozenset(("order_by", "latest", "earliest", "alatest", "aearliest"))
_FIELDS = frozenset(("UniqueConstraint", "Index"))

QUERIES = (
    (_KEYWORDS - {"Q", "When"})
    | _ORDERED
    | frozenset(
        ("values", "values_list", "only", "defer", "distinct", "dates", "datetimes", "annotate",
         "alias", "aggregate", "aaggregate", "update", "aupdate", "select_related",
         "prefetch_related", "complex_filter")
    )
)  # fmt: skip
"""Calls whose arguments are about the model of the query they are made on."""

ADMIN = {
    "list_display": Use.LOAD,
    "list_filter": Use.LOAD,
    "list_select_related": Use.LOAD,
    "raw_id_fields": Use.LOAD,
    "autocomplete_fields": Use.LOAD,
    "search_fields": Use.COMPARE,
    "filterset_fields": Use.COMPARE,
    "ordering": Use.ORDER,
    "ordering_fields": Use.ORDER,
    "date_hierarchy": Use.COMPARE,
}
"""Attributes of admins, views and `Meta` that hold lookup paths."""


def paths_in_call(name: str, call: ast.Call) -> Iterator[tuple[str, int, Use]]:
    """(path, line, use) of the lookup paths that a call of this name is given."""
    if name in _KEYWORDS:
        for word in call.keywords:
            if word.arg is not None:
                if word.arg != "defaults":
                    yield word.arg, word.lineno, Use.COMPARE
            elif isinstance(word.value, ast.Dict):
                for key in word.value.keys:
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        yield key.value, key.lineno, Use.COMPARE
    if name in _KEYWORDS and name[0] == "Q":
        for argument in call.args:
            if isinstance(argument, ast.Tuple) and argument.elts:
                yield from _given(argument.elts[:1], Use.COMPARE)
    elif name in _COMPARED:
        yield from _given(call.args, Use.COMPARE)
    elif name in _ORDERED:
        yield from _given(call.args, Use.ORDER)
    elif name == "select_related":
        yield from _given(call.args, Use.LOAD)
    elif name == "prefetch_related":
        yield from _given(call.args, Use.PREFETCH)
    elif name == "Prefetch":
        yield from _given(call.args[:1], Use.PREFETCH)
        for word in call.keywords:
            if word.arg == "lookup":
                yield from _given([word.value], Use.PREFETCH)
    elif name in _FIELDS:
        for word in call.keywords:
            if word.arg in {"fields", "include"}:
                for path, line in texts(word.value):
                    yield path.lstrip("-"), line, Use.COMPARE


def _given(arguments: list[ast.expr], use: Use) -> Iterator[tuple[str, int, Use]]:
    for argument in arguments:
        inner = argument.value if isinstance(argument, ast.Starred) else argument
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value.lstrip("-+"), inner.lineno, use
        elif isinstance(argument, ast.Starred):
            for path, line in texts(inner):
                yield path.lstrip("-"), line, use


def texts(node: ast.expr) -> Iterator[tuple[str, int]]:
    """(text, line) of a literal string, of those in a list, and first in tuples in a list."""
    match node:
        case ast.Constant(value=str() as text, lineno=line):
            yield text, line
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            for item in items:
                if isinstance(item, ast.Tuple) and item.elts:
                    yield from texts(item.elts[0])
                else:
                    yield from texts(item)
        case ast.Dict(keys=keys):
            for key in keys:
                if key is not None:
                    yield from texts(key)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from texts(left)
            yield from texts(right)
        case _:
            return
