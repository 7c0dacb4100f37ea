# ruff: noqa: N802 - libcst names the methods of a transformer after its nodes
"""Rewrites what refers to a model that moves to another app."""

import re
from collections.abc import Sequence

import libcst as cst
import msgspec
from libcst import metadata as meta

from monolift.codemods.names import (
    Names,
    bound,
    changed,
    dotted,
    is_relation,
    is_target,
    literal,
    quoted,
    statement,
    with_imports,
)

_ADMIN = "changelist|add|history|delete|change|autocomplete"
_IMPORTERS = ("patch", "import_string", "import_module", "object")
PAIRS = ("get_model", "get_registered_model", "get_by_natural_key")
"""Calls that take the label of an app and the name of a model."""
_LISTENERS = ("receiver", "connect", "disconnect")


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A model and its way."""

    name: str
    old: str
    """Label of the app it leaves."""
    new: str
    """Label of the app it enters."""
    old_package: str
    new_package: str
    old_modules: tuple[str, ...]
    """Modules that offer it: where it is defined first, then those that re-export it."""
    new_module: str
    codenames: tuple[str, ...] = ()
    """Its permissions."""
    modules: frozenset[str] = frozenset()
    """What can be imported as `label.name`: a string that says so need not mean the model."""

    def string(self, value: str, *, names_model: bool = False) -> str | None:
        """What a string becomes; None when it is not about the model, or nobody can be certain.

        Where a string names a model (`names_model`), Django does not mind the capitals. Anywhere
        else `shop.stock` is a logger, a queue or a module as well.
        """
        label, dot, rest = value.partition(".")
        if dot and label == self.old:
            if names_model and rest.lower() == self.name.lower():
                return f"{self.new}.{rest}"
            if (rest == self.name or rest in self.codenames) and rest not in self.modules:
                return f"{self.new}.{rest}"
        for module in self.old_modules:
            path = f"{module}.{self.name}"
            if value == path or value.startswith(f"{path}."):
                return f"{self.new_module}.{self.name}{value[len(path) :]}"
        low = self.name.lower()
        match = re.fullmatch(rf"(\w+:){re.escape(self.old)}_{low}_({_ADMIN})", value)
        return f"{match[1]}{self.new}_{low}_{match[2]}" if match else None


def rewrite(source: str, *, move: Move, module: str, package: bool) -> str:
    """A Python file in which every certain reference names the model's new place."""
    names = Names(source, module=module, package=package)
    rewriter = _Rewriter(names, move)
    tree = cst.ensure_type(changed(names.tree, rewriter), cst.Module)
    return with_imports(tree, rewriter.needed).code


class _Rewriter(cst.CSTTransformer):
    def __init__(self, names: Names, move: Move) -> None:
        super().__init__()
        self._names = names
        self._move = move
        self._paths = {f"{module}.{move.name}" for module in move.old_modules}
        self.needed: list[str] = []
        inside = (names.module + ".").startswith(move.old_package + ".")
        self._unqualified = inside
        self._home = names.module in {*move.old_modules, move.new_module}
        self._dropped = self._only_for_relations()

    def _is_model(self, node: cst.CSTNode) -> bool:
        return bool(self._names.meanings(node) & self._paths)

    def _only_for_relations(self) -> set[tuple[cst.CSTNode, str]]:
        """From-imports and the names in them that only relations use, which become strings."""
        found: set[tuple[cst.CSTNode, str]] = set()
        for scope in self._names.scopes():
            for assignment in scope.assignments:
                if not isinstance(assignment, meta.ImportAssignment):
                    continue
                accesses = [access.node for access in assignment.references]
                if accesses and all(self._becomes_string(access) for access in accesses):
                    found.add((assignment.node, assignment.name))
        return found

    def _becomes_string(self, node: cst.CSTNode) -> bool:
        arg = self._names.parent(node)
        call = self._names.parent(arg) if isinstance(arg, cst.Arg) else None
        return (
            isinstance(arg, cst.Arg)
            and isinstance(call, cst.Call)
            and is_relation(call)
            and is_target(call.args.index(arg), arg)
            and self._is_model(node)
        )

    # -- imports --

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement] | cst.RemovalSentinel:
        kept: list[cst.BaseSmallStatement] = []
        added: list[str] = []
        touched = False
        for original, updated in zip(original_node.body, updated_node.body, strict=True):
            if isinstance(original, cst.ImportFrom) and isinstance(updated, cst.ImportFrom):
                rest, new = self._split(original, updated)
                if rest is not updated:
                    touched = True
                    added += new
                    if rest is not None:
                        kept.append(rest)
                    continue
            kept.append(updated)
        if not touched:
            return updated_node
        lines: list[cst.BaseStatement] = [statement(source) for source in added]
        if kept:
            return cst.FlattenSentinel([updated_node.with_changes(body=kept), *lines])
        if lines:
            lines[0] = lines[0].with_changes(leading_lines=updated_node.leading_lines)
            if updated_node.trailing_whitespace.comment:
                end = updated_node.trailing_whitespace
                lines[0] = lines[0].with_changes(trailing_whitespace=end)
            return cst.FlattenSentinel(lines)
        parent = self._names.parent(original_node)
        if isinstance(parent, cst.IndentedBlock) and len(parent.body) == 1:
            return updated_node.with_changes(body=[cst.Pass()])
        return cst.RemoveFromParent()

    def _split(
        self, original: cst.ImportFrom, updated: cst.ImportFrom
    ) -> tuple[cst.ImportFrom | None, list[str]]:
        """What is left of a from-import, and the imports that take the model's place."""
        if isinstance(original.names, cst.ImportStar) or isinstance(updated.names, cst.ImportStar):
            return updated, []
        origin = self._names.imported_from(original)
        moved = [
            alias for alias in original.names if f"{origin}.{dotted(alias.name)}" in self._paths
        ]
        if not moved:
            return updated, []
        new = []
        for alias in moved:
            own = bound(alias)
            if self._home or (original, own) in self._dropped:
                continue
            suffix = f" as {own}" if own != self._move.name or alias.asname else ""
            comment = _comment(alias)
            new.append(f"from {self._move.new_module} import {self._move.name}{suffix}{comment}")
        rest = [alias for alias in original.names if alias not in moved]
        if not rest:
            return None, new
        comma = _last_comma(rest[-1].comma, original.names[-1].comma)
        rest[-1] = rest[-1].with_changes(comma=comma)
        return updated.with_changes(names=rest), new

    # -- attributes, strings, calls --

    def leave_Attribute(
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.BaseExpression:
        if original_node.attr.value != self._move.name or not self._is_model(original_node):
            return updated_node
        for above in self._names.around(original_node):
            if isinstance(above, (cst.Import, cst.ImportFrom)):
                return updated_node
        base = dotted(original_node.value)
        if base in self._move.old_modules:
            self.needed.append(f"import {self._move.new_module}")
            return updated_node.with_changes(value=cst.parse_expression(self._move.new_module))
        package, _, last = self._move.new_module.rpartition(".")
        alias = f"{self._move.new}_{last}"
        self.needed.append(
            f"from {package} import {last} as {alias}" if package else f"import {last} as {alias}"
        )
        return updated_node.with_changes(value=cst.Name(alias))

    def leave_SimpleString(
        self, original_node: cst.SimpleString, updated_node: cst.SimpleString
    ) -> cst.SimpleString:
        value = literal(original_node)
        if not value:
            return updated_node
        arg = self._names.parent(original_node)
        call = self._names.parent(arg) if isinstance(arg, cst.Arg) else None
        named = False
        if isinstance(arg, cst.Arg) and isinstance(call, cst.Call):
            if _called(call) in _IMPORTERS and value.count(".") == 1:
                return updated_node  # `patch("shop.Stock")` means the attribute of a module
            named = _takes_model(call, arg)
        new = self._move.string(value, names_model=named)
        return updated_node if new is None else quoted(new, original_node)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        if is_relation(original_node):
            return self._relation(original_node, updated_node)
        args = list(updated_node.args)
        given = original_node.args
        called = _called(original_node)
        if called in _LISTENERS:
            for index, arg in enumerate(given):
                if arg.keyword and arg.keyword.value == "sender" and self._is_local(arg.value):
                    args[index] = args[index].with_changes(value=self._label())
        positional = [arg.value for arg in given if arg.keyword is None and not arg.star]
        pair = called in PAIRS and len(positional) >= 2
        if pair and self._is_pair(positional[0], positional[1]):
            first = cst.ensure_type(positional[0], cst.SimpleString)
            args[0] = args[0].with_changes(value=quoted(self._move.new, first))
        named = {arg.keyword.value: index for index, arg in enumerate(given) if arg.keyword}
        for first_name, second_name in (("app_label", "model"), ("app_label", "model_name")):
            if first_name in named and second_name in named:
                index = named[first_name]
                value = given[index].value
                if self._is_pair(value, given[named[second_name]].value):
                    first = cst.ensure_type(value, cst.SimpleString)
                    args[index] = args[index].with_changes(value=quoted(self._move.new, first))
        return updated_node.with_changes(args=args)

    def _is_local(self, node: cst.CSTNode) -> bool:
        """True for the model where it was defined: its name is gone there."""
        return self._names.module == self._move.old_modules[0] and dotted(node) == self._move.name

    def _is_pair(self, first: cst.CSTNode, second: cst.CSTNode) -> bool:
        label, name = literal(first), literal(second)
        return label == self._move.old and (name or "").lower() == self._move.name.lower()

    def _label(self, like: cst.SimpleString | None = None) -> cst.SimpleString:
        return quoted(f"{self._move.new}.{self._move.name}", like)

    def _relation(self, original: cst.Call, updated: cst.Call) -> cst.Call:
        args = list(updated.args)
        for index, arg in enumerate(original.args):
            if not is_target(index, arg):
                continue
            if isinstance(arg.value, cst.SimpleString):
                value = literal(arg.value) or ""
                if self._unqualified and value.lower() == self._move.name.lower():
                    args[index] = args[index].with_changes(value=self._label(arg.value))
            elif self._is_model(arg.value) or self._is_local(arg.value):
                args[index] = args[index].with_changes(value=self._label())
        return updated.with_changes(args=args)

    # -- `__all__` of the modules it leaves --

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        targets = [dotted(target.target) for target in original_node.targets]
        if targets != ["__all__"] or self._names.module not in self._move.old_modules:
            return updated_node
        value = updated_node.value
        if isinstance(value, (cst.List, cst.Tuple)):
            elements: Sequence[cst.BaseElement] = [
                element for element in value.elements if literal(element.value) != self._move.name
            ]
            if len(elements) != len(value.elements):
                if elements and isinstance(value, cst.List):
                    last = elements[-1].with_changes(comma=value.elements[-1].comma)
                    elements = [*elements[:-1], last]
                return updated_node.with_changes(value=value.with_changes(elements=elements))
        return updated_node


def _comment(alias: cst.ImportAlias) -> str:
    """The comment beside a name that has a line of its own."""
    after = alias.comma.whitespace_after if isinstance(alias.comma, cst.Comma) else None
    found = after.first_line.comment if isinstance(after, cst.ParenthesizedWhitespace) else None
    return f"  {found.value}" if found else ""


def _last_comma(
    own: cst.Comma | cst.MaybeSentinel, last: cst.Comma | cst.MaybeSentinel
) -> cst.Comma | cst.MaybeSentinel:
    """The comma of a name that comes last now: where names have lines, with its own comment."""
    if not isinstance(own, cst.Comma) or not isinstance(last, cst.Comma):
        return cst.MaybeSentinel.DEFAULT
    before, after = own.whitespace_after, last.whitespace_after
    if isinstance(before, cst.ParenthesizedWhitespace) and isinstance(
        after, cst.ParenthesizedWhitespace
    ):
        after = after.with_changes(first_line=before.first_line)
    return last.with_changes(whitespace_after=after)


def _called(call: cst.Call) -> str:
    """The name a call ends with: `get_model`, whatever it is asked of."""
    return call.func.attr.value if isinstance(call.func, cst.Attribute) else dotted(call.func)


def _takes_model(call: cst.Call, arg: cst.Arg) -> bool:
    """True for an argument in which Django reads `label.model`."""
    if is_relation(call):
        return is_target(call.args.index(arg), arg)
    name = dotted(arg.keyword)
    if _called(call) in _LISTENERS:
        return name == "sender"
    return _called(call) in PAIRS and (arg is call.args[0] or name == "app_label")
