# ruff: noqa: N802 - libcst names the methods of a transformer after its nodes
"""What the names in a Python file mean, by libcst's scopes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import libcst as cst
from libcst import metadata as meta

RELATIONS = (
    "ForeignKey",
    "OneToOneField",
    "ManyToManyField",
    "GenericRelation",
    "ParentalKey",
    "ParentalManyToManyField",
)
"""Ends of the names of fields that take a model, or its name, as their target."""


class Names:
    """The scopes of one file."""

    def __init__(self, source: str, *, module: str, package: bool) -> None:
        self.wrapper = meta.MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
        self.tree = self.wrapper.module
        self.module = module
        self._package = module if package else module.rpartition(".")[0]
        self._scopes = self.wrapper.resolve(meta.ScopeProvider)
        self._qualified = self.wrapper.resolve(meta.QualifiedNameProvider)
        self._parents = self.wrapper.resolve(meta.ParentNodeProvider)

    def absolute(self, name: str) -> str:
        """A dotted name, its leading dots resolved."""
        dots = len(name) - len(name.lstrip("."))
        if not dots:
            return name
        parts = self._package.split(".") if self._package else []
        base = parts[: len(parts) - (dots - 1)]
        return ".".join([*base, name[dots:]]) if name[dots:] else ".".join(base)

    def imported_from(self, statement: cst.ImportFrom) -> str:
        """The module of a from-import."""
        return self.absolute("." * len(statement.relative) + dotted(statement.module))

    def meanings(self, node: cst.CSTNode) -> set[str]:
        """The full dotted names an expression may stand for."""
        found = self._qualified.get(node, ())
        if callable(found):  # libcst computes some lazily
            found = found()
        names: set[str] = set()
        for qualified in found or ():
            if qualified.source is meta.QualifiedNameSource.LOCAL:
                names.add(f"{self.module}.{qualified.name}")
            else:
                names.add(self.absolute(qualified.name))
        return names

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The node around a node."""
        return self._parents.get(node)

    def around(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes around a node, from the inside out."""
        above = self.parent(node)
        while above is not None:
            yield above
            above = self.parent(above)

    def scopes(self) -> set[meta.Scope]:
        """Every scope of the file."""
        return {scope for scope in self._scopes.values() if scope is not None}

    def bindings(self) -> dict[str, list[meta.BaseAssignment]]:
        """The names bound at the top of the file."""
        found: dict[str, list[meta.BaseAssignment]] = {}
        for scope in self.scopes():
            if isinstance(scope, meta.GlobalScope):
                for assignment in scope.assignments:
                    if isinstance(assignment, meta.Assignment):
                        found.setdefault(assignment.name.partition(".")[0], []).append(assignment)
        return found

    def defers(self) -> bool:
        """True when annotations are not evaluated."""
        return any(
            isinstance(line, cst.ImportFrom)
            and dotted(line.module) == "__future__"
            and not isinstance(line.names, cst.ImportStar)
            and any(dotted(alias.name) == "annotations" for alias in line.names)
            for statement in self.tree.body
            if isinstance(statement, cst.SimpleStatementLine)
            for line in statement.body
        )


def dotted(node: cst.CSTNode | None) -> str:
    """The dotted name of names and attributes; empty for anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr.value}" if base else ""
    return ""


def literal(node: cst.CSTNode | None) -> str | None:
    """The value of a plain string."""
    if isinstance(node, cst.SimpleString):
        value = node.evaluated_value
        return value if isinstance(value, str) else None
    return None


def quoted(value: str, like: cst.SimpleString | None = None) -> cst.SimpleString:
    """A string, in the quotes of another one."""
    quote = like.quote if like is not None else '"'
    prefix = like.prefix if like is not None else ""
    return cst.SimpleString(f"{prefix}{quote}{value}{quote}")


def is_relation(call: cst.Call) -> bool:
    """True for the call that declares a relation."""
    return dotted(call.func).rpartition(".")[2].endswith(RELATIONS)


def is_target(index: int, arg: cst.Arg) -> bool:
    """True for the argument of a relation that names a model."""
    if arg.keyword is None:
        return index == 0 and not arg.star
    return arg.keyword.value in {"to", "through"}


def keyword(name: str, value: cst.BaseExpression) -> cst.Arg:
    """The argument `name=value`."""
    none = cst.SimpleWhitespace("")
    return cst.Arg(
        value=value,
        keyword=cst.Name(name),
        equal=cst.AssignEqual(whitespace_before=none, whitespace_after=none),
    )


def changed(node: cst.CSTNode, transformer: cst.CSTTransformer) -> cst.CSTNode:
    """What a transformer makes of a node that it does not remove."""
    return cast("cst.CSTNode", node.visit(transformer))


def statement(source: str) -> cst.BaseStatement:
    """A statement from its source."""
    return cst.parse_statement(source)


def with_imports(
    tree: cst.Module, sources: Sequence[str], *, typing_only: Sequence[str] = ()
) -> cst.Module:
    """The file with imports added behind those at its top."""
    lines = [source for source in dict.fromkeys(sources) if not _has(tree, source)]
    checked = [source for source in dict.fromkeys(typing_only) if not _has(tree, source)]
    if not lines and not checked:
        return tree
    body = list(tree.body)
    place = 0
    for index, line in enumerate(body):
        if isinstance(line, cst.SimpleStatementLine) and isinstance(
            line.body[0], (cst.Import, cst.ImportFrom)
        ):
            place = index + 1
        elif index == 0 and _is_docstring(line):
            place = 1
        elif not (isinstance(line, cst.If) and dotted(line.test).endswith("TYPE_CHECKING")):
            break
    added = [statement(source) for source in _joined(lines)]
    if checked:
        if not _has(tree, "from typing import TYPE_CHECKING"):
            added.insert(0, statement("from typing import TYPE_CHECKING"))
        block = "\n".join(f"    {source}" for source in _joined(checked))
        guarded = statement(f"if TYPE_CHECKING:\n{block}\n")
        added.append(guarded.with_changes(leading_lines=[cst.EmptyLine(indent=False)]))
    if place and place < len(body) and _is_docstring(body[place - 1]):
        added[0] = added[0].with_changes(leading_lines=[cst.EmptyLine(indent=False)])
    return tree.with_changes(body=[*body[:place], *added, *body[place:]])


def _joined(sources: Sequence[str]) -> list[str]:
    """Imports with one statement for each module."""
    found: dict[str, list[str]] = {}
    for source in sources:
        module, word, names = source.partition(" import ")
        if word and module.startswith("from "):
            found.setdefault(f"{module} import ", []).append(names)
        else:
            found[source] = []
    return [start + ", ".join(sorted(names)) for start, names in found.items()]


def _is_docstring(line: cst.CSTNode) -> bool:
    return (
        isinstance(line, cst.SimpleStatementLine)
        and isinstance(line.body[0], cst.Expr)
        and isinstance(line.body[0].value, (cst.SimpleString, cst.ConcatenatedString))
    )


def _has(tree: cst.Module, source: str) -> bool:
    """True when the import stands in the file already, perhaps beside others."""
    wanted = cst.ensure_type(statement(source), cst.SimpleStatementLine).body[0]
    for line in tree.body:
        for part in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if not isinstance(part, type(wanted)):
                continue
            if isinstance(part, cst.Import) and isinstance(wanted, cst.Import):
                if _aliases(wanted.names) <= _aliases(part.names):
                    return True
            elif (
                isinstance(part, cst.ImportFrom)
                and isinstance(wanted, cst.ImportFrom)
                and not isinstance(part.names, cst.ImportStar)
                and not isinstance(wanted.names, cst.ImportStar)
                and len(part.relative) == len(wanted.relative)
                and dotted(part.module) == dotted(wanted.module)
                and _aliases(wanted.names) <= _aliases(part.names)
            ):
                return True
    return False


def _aliases(names: Sequence[cst.ImportAlias]) -> set[tuple[str, str]]:
    return {(dotted(alias.name), bound(alias)) for alias in names}


def bound(alias: cst.ImportAlias) -> str:
    """The name an import binds; for `import a.b`, all of it."""
    return dotted(alias.asname.name) if alias.asname else dotted(alias.name)


class LocalImports(cst.CSTTransformer):
    """Puts imports at the top of functions."""

    def __init__(self, wanted: Mapping[cst.FunctionDef, Sequence[str]]) -> None:
        super().__init__()
        self._wanted = wanted

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        sources = self._wanted.get(original_node)
        if not sources:
            return updated_node
        lines = [statement(source) for source in dict.fromkeys(sources)]
        block = updated_node.body
        if not isinstance(block, cst.IndentedBlock):
            block = cst.IndentedBlock(
                body=[cst.SimpleStatementLine(body=list(updated_node.body.body))]  # type: ignore[arg-type]  # a suite's
            )
        body = list(block.body)
        place = 1 if body and _is_docstring(body[0]) else 0
        # A blank line sets imports apart from what follows.
        if place < len(body):
            follower = body[place]
            body[place] = follower.with_changes(
                leading_lines=[cst.EmptyLine(indent=False), *getattr(follower, "leading_lines", ())]
            )
        return updated_node.with_changes(
            body=block.with_changes(body=[*body[:place], *lines, *body[place:]])
        )
