# ruff: noqa: N802 - libcst names the methods of a transformer after its nodes
"""Rewrites the declaration of a relation, and the queries that are certain."""

import copy
import re
from collections.abc import Sequence
from typing import Any

import libcst as cst
import msgspec

from monolift.codemods.errors import CodemodError
from monolift.codemods.names import (
    Names,
    changed,
    dotted,
    keyword,
    literal,
    quoted,
    with_imports,
)

_RELATION_ONLY = frozenset(
    (
        "db_constraint",
        "db_index",
        "limit_choices_to",
        "on_delete",
        "parent_link",
        "related_name",
        "related_query_name",
        "swappable",
        "to",
        "to_field",
        "unique",
    )
)
LOOKUPS = frozenset(("filter", "exclude", "get", "aget", "update", "aupdate"))
CREATES = frozenset(("create", "acreate", "get_or_create", "aget_or_create", "update_or_create"))
_CHAIN = frozenset(
    ("all", "defer", "distinct", "exclude", "filter", "only", "order_by", "reverse", "using")
)
NAMED = frozenset(("values_list", "order_by", "only", "defer"))
_META_NAMES = frozenset(("unique_together", "index_together", "get_latest_by"))


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A relation that becomes a plain field."""

    declared: str
    """The class that declares the field: the model, or an abstract base."""
    paths: frozenset[str]
    """Full names of the model and of those that inherit it, from wherever they are imported."""
    own: frozenset[str]
    """Methods that Django has and the project wrote anew: nobody knows what they take."""
    field: str
    column: str
    """Name of the plain field."""
    target: str
    """Attribute of the other model that the column holds."""
    key: bool
    """The target is the other model's primary key."""
    type: str
    arguments: tuple[tuple[str, str], ...]
    """Arguments of the plain field that the relation did not have, as source."""
    required: bool
    ordered_alike: bool
    """Ordering by the relation orders by the column, because the other model has no ordering."""

    @property
    def keys(self) -> frozenset[str]:
        """Names of the other model's attribute that the column holds."""
        return frozenset((self.target, "pk") if self.key else (self.target,))


def without_constraint(source: str, *, model: str, field: str, shown: str) -> str:
    """The file with `db_constraint=False` in the declaration. Raises CodemodError."""
    tree = cst.parse_module(source)
    transformer = _Constraint(model, field)
    result = cst.ensure_type(changed(tree, transformer), cst.Module)
    _refuse_unfound(transformer.found, model, field, shown)
    return result.code


def plain(source: str, *, change: Change, shown: str) -> str:
    """The file with a plain field in the relation's place. Raises CodemodError."""
    tree = cst.parse_module(source)
    transformer = _Declaration(change)
    result = cst.ensure_type(changed(tree, transformer), cst.Module)
    _refuse_unfound(transformer.found, change.declared, change.field, shown)
    needed = ["from django.db import models"] if transformer.needs_models else []
    return with_imports(result, needed).code


def queries(source: str, *, change: Change, module: str, package: bool) -> str:
    """The file with every certain query of the model in the words of the plain field."""
    names = Names(source, module=module, package=package)
    return cst.ensure_type(changed(names.tree, _Queries(names, change)), cst.Module).code


def renamed(item: Any, old: str, new: str) -> Any:
    """An index or constraint of Django that names the field anew; None when it does not name it."""
    _, args, kwargs = item.deconstruct()
    fresh_args = [_renamed(value, old, new) for value in args]
    fresh = {
        key: value if key == "name" else _renamed(value, old, new) for key, value in kwargs.items()
    }
    made = type(item)(*fresh_args, **fresh)
    return made if made != item else None


def _renamed(value: Any, old: str, new: str) -> Any:
    from django.db.models import F, Q

    if isinstance(value, str):
        return re.sub(rf"^(-?){old}(?=$|__)", rf"\g<1>{new}", value)
    if isinstance(value, (list, tuple)):
        return type(value)(_renamed(part, old, new) for part in value)
    if isinstance(value, Q):
        fresh = value.copy()
        fresh.children = [
            (_renamed(part[0], old, new), _expression(part[1], old, new))
            if isinstance(part, tuple)
            else _renamed(part, old, new)
            for part in value.children
        ]
        return fresh
    if isinstance(value, F):
        return F(_renamed(value.deconstruct()[1][0], old, new))
    return _expression(value, old, new)


def _expression(value: Any, old: str, new: str) -> Any:
    if not hasattr(value, "get_source_expressions"):
        from django.db.models import F, Q

        return _renamed(value, old, new) if isinstance(value, (F, Q)) else value
    fresh = copy.deepcopy(value)
    fresh.set_source_expressions(
        [
            part if part is None else _renamed(part, old, new)
            for part in fresh.get_source_expressions()
        ]
    )
    return fresh


def _refuse_unfound(found: bool, model: str, field: str, shown: str) -> None:
    if not found:
        raise CodemodError(
            f"{shown} has no line `{field} = ...(...)` in the class {model}. Write the declaration "
            "of the relation there first."
        )


class _InClass(cst.CSTTransformer):
    """Sees the body of one class."""

    def __init__(self, model: str) -> None:
        super().__init__()
        self._model = model
        self._stack: list[str] = []
        self.found = False

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._stack.append(node.name.value)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._stack.append("()")

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        self._stack.pop()
        return updated_node

    def leave_ClassDef(
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> cst.ClassDef:
        self._stack.pop()
        return updated_node

    @property
    def _inside(self) -> bool:
        return self._stack == [self._model]


class _Constraint(_InClass):
    def __init__(self, model: str, field: str) -> None:
        super().__init__(model)
        self._field = field

    def _loose(self, value: cst.BaseExpression | None) -> cst.BaseExpression | None:
        if not self._inside or not isinstance(value, cst.Call):
            return None
        self.found = True
        args = [arg for arg in value.args if dotted(arg.keyword) != "db_constraint"]
        added = keyword("db_constraint", cst.Name("False"))
        return value.with_changes(args=_arranged(value.args, [*args, added]))

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        if [dotted(target.target) for target in original_node.targets] == [self._field]:
            value = self._loose(updated_node.value)
            if value is not None:
                return updated_node.with_changes(value=value)
        return updated_node

    def leave_AnnAssign(
        self, original_node: cst.AnnAssign, updated_node: cst.AnnAssign
    ) -> cst.AnnAssign:
        if dotted(original_node.target) == self._field:
            value = self._loose(updated_node.value)
            if value is not None:
                return updated_node.with_changes(value=value)
        return updated_node


class _Declaration(_InClass):
    def __init__(self, change: Change) -> None:
        super().__init__(change.declared)
        self._change = change
        self.needs_models = False

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        change = self._change
        targets = [dotted(target.target) for target in original_node.targets]
        if self._inside and targets == [change.field] and isinstance(updated_node.value, cst.Call):
            return cst.Assign(
                targets=[cst.AssignTarget(cst.Name(change.column))],
                value=self._call(updated_node.value),
            )
        if self._stack == [change.declared, "Meta"] and len(targets) == 1:
            return updated_node.with_changes(
                value=changed(updated_node.value, _MetaNames(change, targets[0]))
            )
        return updated_node

    def leave_AnnAssign(
        self, original_node: cst.AnnAssign, updated_node: cst.AnnAssign
    ) -> cst.AnnAssign | cst.Assign:
        own = self._inside and dotted(original_node.target) == self._change.field
        if own and isinstance(updated_node.value, cst.Call):
            # The annotation named the other model.
            return cst.Assign(
                targets=[cst.AssignTarget(cst.Name(self._change.column))],
                value=self._call(updated_node.value),
            )
        return updated_node

    def _call(self, call: cst.Call) -> cst.Call:
        self.found = True
        kept = [
            arg
            for arg in call.args
            if arg.keyword is not None and arg.keyword.value not in _RELATION_ONLY
        ]
        added = [
            keyword(name, cst.parse_expression(value)) for name, value in self._change.arguments
        ]
        if isinstance(call.func, cst.Attribute) and dotted(call.func.value) == "models":
            func: cst.BaseExpression = call.func.with_changes(attr=cst.Name(self._change.type))
        else:
            self.needs_models = True
            func = cst.Attribute(cst.Name("models"), cst.Name(self._change.type))
        return call.with_changes(func=func, args=_arranged(call.args, [*kept, *added]))

    def leave_Attribute(
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.Attribute:
        """`self.product.pk` in a method of the class."""
        change = self._change
        if (
            self._stack[:2] == [change.declared, "()"]
            and original_node.attr.value in change.keys
            and isinstance(original_node.value, cst.Attribute)
            and dotted(original_node.value) == f"self.{change.field}"
        ):
            return cst.Attribute(cst.Name("self"), cst.Name(change.column))
        return updated_node


class _MetaNames(cst.CSTTransformer):
    """Names the field anew in one setting of Meta."""

    def __init__(self, change: Change, setting: str) -> None:
        super().__init__()
        self._change = change
        self._plain = setting in _META_NAMES or (setting == "ordering" and change.ordered_alike)
        self._declares = setting in {"indexes", "constraints"}

    def leave_SimpleString(
        self, original_node: cst.SimpleString, updated_node: cst.SimpleString
    ) -> cst.SimpleString:
        value = literal(original_node)
        if value is not None and (self._plain or self._declares):
            sign = value[: len(value) - len(value.lstrip("-"))]
            if value.lstrip("-") == self._change.field:
                return quoted(f"{sign}{self._change.column}", original_node)
        return updated_node

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        name = dotted(original_node.keyword)
        if name == "name":
            return updated_node.with_changes(value=original_node.value)
        if self._declares and name.partition("__")[0] == self._change.field:
            rest = name.removeprefix(self._change.field)
            return updated_node.with_changes(keyword=cst.Name(f"{self._change.column}{rest}"))
        return updated_node


class _Queries(cst.CSTTransformer):
    def __init__(self, names: Names, change: Change) -> None:
        super().__init__()
        self._names = names
        self._change = change

    def _is_model(self, node: cst.CSTNode) -> bool:
        return bool(self._names.meanings(node) & self._change.paths)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        func = original_node.func
        if self._is_model(func):
            name = "__init__"
        elif isinstance(func, cst.Attribute) and self._is_chain(func.value):
            name = func.attr.value
        else:
            return updated_node
        if name in self._change.own:
            return updated_node
        if name == "__init__" or name in CREATES | LOOKUPS:
            return self._with(original_node, updated_node, creates=name not in LOOKUPS)
        if name in NAMED:
            args = [
                arg.with_changes(value=self._named(arg.value, exact=name != "order_by"))
                if arg.keyword is None
                else arg
                for arg in updated_node.args
            ]
            return updated_node.with_changes(args=args)
        return updated_node

    def _is_chain(self, node: cst.CSTNode) -> bool:
        """True for `Line.objects`, and for what leads from it to another set of lines."""
        if isinstance(node, cst.Attribute):
            return self._is_model(node.value)
        return (
            isinstance(node, cst.Call)
            and isinstance(node.func, cst.Attribute)
            and node.func.attr.value in _CHAIN
            and self._is_chain(node.func.value)
        )

    def _named(self, node: cst.BaseExpression, *, exact: bool) -> cst.BaseExpression:
        text = literal(node)
        if text is None or not isinstance(node, cst.SimpleString):
            return node
        sign = "-" if text.startswith("-") else ""
        head, _, rest = text.lstrip("-").partition("__")
        certain = rest in self._change.keys or (not rest and (exact or self._change.ordered_alike))
        if head == self._change.field and certain:
            return quoted(f"{sign}{self._change.column}", node)
        return node

    def _with(self, original: cst.Call, updated: cst.Call, *, creates: bool) -> cst.Call:
        args = [
            self._argument(before, after, creates=creates)
            for before, after in zip(original.args, updated.args, strict=True)
        ]
        return updated.with_changes(args=args)

    def _argument(self, before: cst.Arg, after: cst.Arg, *, creates: bool) -> cst.Arg:
        change = self._change
        name = dotted(before.keyword)
        head, _, rest = name.partition("__")
        if head != change.field:
            return after
        if not rest:
            value = self._value(before.value, after.value, creates=creates)
            if value is None:
                return after
            return after.with_changes(keyword=cst.Name(change.column), value=value)
        first, _, lookup = rest.partition("__")
        if first == "isnull":
            return after.with_changes(keyword=cst.Name(f"{change.column}__isnull"))
        if first in change.keys:
            suffix = f"__{lookup}" if lookup else ""
            return after.with_changes(keyword=cst.Name(change.column + suffix))
        return after

    def _value(
        self, before: cst.BaseExpression, after: cst.BaseExpression, *, creates: bool
    ) -> cst.BaseExpression | None:
        """The id that stands for a value; None when nobody can be certain what it is."""
        if isinstance(before, cst.Integer) or dotted(before) == "None":
            return after
        if isinstance(before, cst.Attribute) and before.attr.value in self._change.keys:
            return after
        path = dotted(before)
        if creates and self._change.required and path:
            # Making a row takes an instance, and there always is one.
            return cst.Attribute(after, cst.Name("pk" if self._change.key else self._change.target))
        return None


def _arranged(before: Sequence[cst.Arg], after: Sequence[cst.Arg]) -> list[cst.Arg]:
    """Arguments laid out as others were: on one line, or each on its own."""
    if not before or not after:
        return list(after)
    joint = before[0].comma if len(before) > 1 else cst.MaybeSentinel.DEFAULT
    if isinstance(joint, cst.Comma) and "#" in cst.Module(body=()).code_for_node(joint):
        joint = cst.MaybeSentinel.DEFAULT
    inner = set(before[:-1])
    none = cst.SimpleWhitespace("")
    laid = [
        arg if arg in inner else arg.with_changes(comma=joint, whitespace_after_arg=none)
        for arg in after[:-1]
    ]
    end = before[-1]
    last = after[-1].with_changes(comma=end.comma, whitespace_after_arg=end.whitespace_after_arg)
    return [*laid, last]
