"""Takes a class, and what only it uses, out of one file and puts it into another."""

from collections.abc import Mapping, Sequence
from typing import cast

import libcst as cst
import msgspec
from libcst import metadata as meta

from monolift.codemods.errors import CodemodError
from monolift.codemods.extraction_changes import Moved, Quoter
from monolift.codemods.extraction_imports import Needs
from monolift.codemods.extraction_pieces import (
    exported,
    into_functions,
    is_export,
    spaced,
    without_imports,
)
from monolift.codemods.extraction_request import Request
from monolift.codemods.extraction_uses import Uses, is_import
from monolift.codemods.names import Names, changed, with_imports


class Extraction(msgspec.Struct, frozen=True, kw_only=True):
    """Both files afterwards."""

    source: str
    target: str
    along: tuple[str, ...]
    """Names that went with the class."""
    left: tuple[str, ...]
    """Names it needs that stayed, and are imported."""


def extract(source: str, target: str, *, request: Request) -> Extraction:
    """Move the class. Raises CodemodError."""
    return _Extractor(source, target, request).run()


class _Extractor:
    def __init__(self, source: str, target: str, request: Request) -> None:
        self._request = request
        self._names = Names(source, module=request.module, package=request.package)
        self._target = Names(target, module=request.target, package=request.target_package)
        self._uses = Uses(self._names)
        self._class, self._unit = self._find()

    def run(self) -> Extraction:
        request = self._request
        moved = self._closure()
        along = {
            name
            for name, assignments in self._uses.bindings.items()
            for assignment in assignments
            if self._uses.statement_of(assignment) in moved and not is_import(assignment)
        }
        needs = Needs(self._uses, self._target, request)
        for name in sorted(along):
            needs.refuse_twin(name)
        needs.collect(moved, along)
        pieces = [
            self._adapted(piece, needs.local, needs.annotations)
            for piece in self._names.tree.body
            if piece in moved or piece in needs.copied
        ]
        target = with_imports(self._target.tree, needs.imports, typing_only=needs.typing_only)
        body = [*target.body, *(spaced(piece, first=not target.body) for piece in pieces)]
        new_target = exported(target.with_changes(body=body), request.name)
        return Extraction(
            source=self._without(moved, along),
            target=new_target.code,
            along=tuple(sorted(along - {request.name})),
            left=tuple(sorted(needs.left)),
        )

    # -- what goes --

    def _find(self) -> tuple[cst.ClassDef, cst.CSTNode]:
        """The class, and the statement at the top of the file that holds it."""
        for piece in self._names.tree.body:
            if isinstance(piece, cst.ClassDef) and piece.name.value == self._request.name:
                return piece, piece
            if isinstance(piece, cst.If) and piece.orelse is None:
                inner = list(piece.body.body)
                classes = [line for line in inner if isinstance(line, cst.ClassDef)]
                if [line.name.value for line in classes] == [self._request.name]:
                    return classes[0], piece
        raise CodemodError(
            f"{self._request.module} has no statement `class {self._request.name}` at its top, or "
            "holds it in a block with other classes. Give it a block of its own first."
        )

    def _closure(self) -> set[cst.CSTNode]:
        """The class's statement, and the statements that nothing else uses."""
        moved: set[cst.CSTNode] = {self._unit}
        grown = True
        while grown:
            grown = False
            for name, assignments in self._uses.bindings.items():
                if (
                    name in self._request.taken
                    or name in self._request.models
                    or name == "__all__"
                    or any(is_import(assignment) for assignment in assignments)
                ):
                    continue
                holders = {self._uses.statement_of(assignment) for assignment in assignments}
                users = self._uses.users(assignments)
                if len(holders) != 1 or not users or holders & moved:
                    continue
                (holder,) = holders
                if not isinstance(holder, (cst.ClassDef, cst.FunctionDef)) and not (
                    isinstance(holder, cst.SimpleStatementLine) and len(holder.body) == 1
                ):
                    continue
                if users - {holder} and users <= {*moved, holder}:
                    moved.add(holder)
                    grown = True
        return moved

    # -- the pieces --

    def _adapted(
        self,
        piece: cst.CSTNode,
        local: Mapping[cst.FunctionDef, Sequence[str]],
        annotations: set[cst.CSTNode],
    ) -> cst.BaseStatement:
        request = self._request
        quote = set() if self._target.defers() else annotations
        result = changed(piece, Moved(request, self._class, quote))
        # The nodes of functions are new now: imports are put in by place.
        result = into_functions(piece, result, local)
        if (
            piece is self._unit
            and isinstance(result, cst.If)
            and "__all__" not in self._target.bindings()
        ):
            inner = [line for line in result.body.body if not is_export(line)]
            result = result.with_changes(body=result.body.with_changes(body=inner))
        return cast("cst.BaseStatement", result)

    def _without(self, moved: set[cst.CSTNode], along: set[str]) -> str:
        """The file that stays, with imports of what it still uses."""
        needed: list[str] = []
        local: dict[cst.FunctionDef, list[str]] = {}
        typing_only: list[str] = []
        quote: set[cst.CSTNode] = set()
        for name in along:
            for assignment in self._uses.bindings[name]:
                for access in assignment.references:
                    if self._uses.top(access.node) in moved:
                        continue
                    place = self._uses.place(access.node)
                    function = self._uses.function(access.node)
                    source = f"from {self._request.target} import {name}"
                    if place in {"relation", "sender"}:
                        continue
                    if place == "function" and function is not None:
                        local.setdefault(function, []).append(source)
                    elif place == "annotation":
                        typing_only.append(source)
                        quote.add(self._uses.annotation(access.node))
                    else:
                        needed.append(source)
        unused = self._unused(moved)
        kept = []
        for piece in self._names.tree.body:
            if piece in moved:
                continue
            after: cst.CSTNode | None = piece
            if isinstance(piece, cst.SimpleStatementLine):
                after = without_imports(piece, unused)
            if after is None:
                continue
            if not self._names.defers():
                after = changed(after, Quoter(quote))
            after = into_functions(piece, after, local)
            kept.append(after)
        tree = self._names.tree.with_changes(body=kept)
        return with_imports(tree, needed, typing_only=typing_only).code

    def _unused(self, moved: set[cst.CSTNode]) -> dict[cst.CSTNode, set[str]]:
        """Imports that only what has moved used: statement, names."""
        found: dict[cst.CSTNode, set[str]] = {}
        for name, assignments in self._uses.bindings.items():
            if name in self._request.taken:
                continue
            for assignment in assignments:
                users = self._uses.users([assignment])
                if isinstance(assignment, meta.ImportAssignment) and users and users <= moved:
                    found.setdefault(assignment.node, set()).add(assignment.name)
        return found
