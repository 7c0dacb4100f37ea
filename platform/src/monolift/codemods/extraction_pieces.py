# ruff: noqa: N802 - libcst names the methods of a transformer after its nodes
"""Statements as they are written down: exported, spaced, with and without imports."""

from collections.abc import Mapping, Sequence

import libcst as cst

from monolift.codemods.names import LocalImports, bound, changed, dotted, quoted


class _Functions(cst.CSTVisitor):
    """The functions of a piece, in the order of the file."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[cst.FunctionDef] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.found.append(node)


def into_functions(
    before: cst.CSTNode, after: cst.CSTNode, local: Mapping[cst.FunctionDef, Sequence[str]]
) -> cst.CSTNode:
    """Put local imports into the functions of a changed piece, found by their order."""
    if not local:
        return after
    old, new = _Functions(), _Functions()
    before.visit(old)
    after.visit(new)
    wanted = {
        fresh: local[stale]
        for stale, fresh in zip(old.found, new.found, strict=True)
        if stale in local
    }
    return changed(after, LocalImports(wanted))


def is_export(line: cst.CSTNode) -> bool:
    """Whether a line adds names to `__all__` by a call."""
    return (
        isinstance(line, cst.SimpleStatementLine)
        and isinstance(line.body[0], cst.Expr)
        and isinstance(line.body[0].value, cst.Call)
        and dotted(line.body[0].value.func).startswith("__all__.")
    )


def exported(tree: cst.Module, name: str) -> cst.Module:
    """The file with the name in its `__all__`, if that is a plain list that is not empty."""
    body = list(tree.body)
    for index, line in enumerate(body):
        if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
            continue
        part = line.body[0]
        if (
            isinstance(part, cst.Assign)
            and dotted(part.targets[0].target) == "__all__"
            and isinstance(part.value, (cst.List, cst.Tuple))
            and part.value.elements
        ):
            elements = list(part.value.elements)
            elements[-1] = elements[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
            value = part.value.with_changes(elements=[*elements, cst.Element(quoted(name))])
            body[index] = line.with_changes(body=[part.with_changes(value=value)])
    return tree.with_changes(body=body)


def spaced(piece: cst.BaseStatement, *, first: bool) -> cst.BaseStatement:
    """A statement below others of a file, with its comments."""
    comments = [line for line in getattr(piece, "leading_lines", ()) if line.comment is not None]
    blank = [] if first else [cst.EmptyLine(indent=False), cst.EmptyLine(indent=False)]
    return piece.with_changes(leading_lines=[*blank, *comments])


def without_imports(
    line: cst.SimpleStatementLine, unused: Mapping[cst.CSTNode, set[str]]
) -> cst.SimpleStatementLine | None:
    """The line without some of its imports; None when nothing is left."""
    kept: list[cst.BaseSmallStatement] = []
    changed = False
    for part in line.body:
        names = unused.get(part, set())
        if not names or not isinstance(part, (cst.Import, cst.ImportFrom)):
            kept.append(part)
            continue
        if isinstance(part.names, cst.ImportStar):
            kept.append(part)
            continue
        changed = True
        rest = [alias for alias in part.names if bound(alias) not in names]
        if rest:
            rest[-1] = rest[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
            kept.append(part.with_changes(names=rest))
    if not changed:
        return line
    return line.with_changes(body=kept) if kept else None
