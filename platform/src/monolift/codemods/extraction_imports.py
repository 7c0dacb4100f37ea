"""What pieces of one file need, once they stand in another: imports, or a copy."""

import libcst as cst
from libcst import metadata as meta

from monolift.codemods.errors import CodemodError
from monolift.codemods.extraction_request import Request
from monolift.codemods.extraction_uses import Uses
from monolift.codemods.names import Names, bound, dotted


class Needs:
    """Collects what the statements that move need in the file they enter."""

    def __init__(self, uses: Uses, target: Names, request: Request) -> None:
        self._uses = uses
        self._target = target
        self._request = request
        self.imports: list[str] = []
        self.typing_only: list[str] = []
        self.local: dict[cst.FunctionDef, list[str]] = {}
        """Imports inside functions."""
        self.annotations: set[cst.CSTNode] = set()
        """Annotations that name what is imported for types only."""
        self.left: set[str] = set()
        """Names that stay in the file they leave, and are imported from there."""
        self.copied: set[cst.CSTNode | None] = set()
        """Statements both files need, such as the making of a logger."""

    def collect(self, moved: set[cst.CSTNode], along: set[str]) -> None:
        """Go through the names that the moved statements use. Raises CodemodError."""
        for name in sorted(self._uses.unbound(moved) & self._request.starred.keys()):
            origin = self._request.starred[name]
            source = self._fitting(name, f"from {origin} import {name}", f"{origin}.{name}")
            self.imports += [source] if source else []
        for name, assignments in self._uses.bindings.items():
            if name in along:
                continue
            for assignment in assignments:
                accesses = [
                    access.node
                    for access in assignment.references
                    if self._uses.top(access.node) in moved
                ]
                places = [(node, self._uses.place(node)) for node in accesses]
                if name in self._request.models:
                    places = [(node, place) for node, place in places if place != "relation"]
                if name == "__all__" or not places:
                    continue
                if isinstance(assignment, meta.ImportAssignment):
                    source = self._import_again(assignment)
                    if source is None:
                        continue
                    guarded = isinstance(self._uses.statement_of(assignment), cst.If)
                    (self.typing_only if guarded else self.imports).append(source)
                    continue
                if self._is_logger(assignment):
                    if name not in self._target.bindings():
                        self.copied.add(self._uses.statement_of(assignment))
                    continue
                self.left.add(name)
                self.refuse_twin(name)
                source = f"from {self._request.module} import {name}"
                for node, place in places:
                    function = self._uses.function(node)
                    if place == "function" and function is not None:
                        self.local.setdefault(function, []).append(source)
                    elif place == "annotation":
                        self.typing_only.append(source)
                        self.annotations.add(self._uses.annotation(node))
                    else:
                        self.imports.append(source)
                        break
        if self.copied:
            self.imports.append("import logging")

    def _is_logger(self, assignment: meta.BaseAssignment) -> bool:
        holder = self._uses.statement_of(assignment)
        if not isinstance(holder, cst.SimpleStatementLine) or len(holder.body) != 1:
            return False
        line = holder.body[0]
        return (
            isinstance(line, cst.Assign)
            and isinstance(line.value, cst.Call)
            and dotted(line.value.func) in {"logging.getLogger", "getLogger"}
        )

    def _import_again(self, assignment: meta.ImportAssignment) -> str | None:
        """The import as it is written in the target; None when the target has the name."""
        node = assignment.node
        name = assignment.name
        if isinstance(node, cst.Import):
            # `import a.b` binds `a` and is listed under both.
            source = next(
                f"import {dotted(alias.name)}" + (f" as {name}" if alias.asname else "")
                for alias in node.names
                if bound(alias) == name or (bound(alias) + ".").startswith(f"{name}.")
            )
            return self._fitting(name.partition(".")[0], source, name)
        node = cst.ensure_type(node, cst.ImportFrom)
        module = self._uses.names.imported_from(node)
        if isinstance(node.names, cst.ImportStar):
            return f"from {module} import *"
        own = next(dotted(alias.name) for alias in node.names if bound(alias) == name)
        if module == self._request.target:
            return None  # it is at home there
        source = f"from {module} import {own}" + (f" as {name}" if own != name else "")
        return self._fitting(name, source, f"{module}.{own}")

    def _fitting(self, name: str, source: str, meaning: str) -> str | None:
        """The import, unless the target has it; CodemodError when the name means another thing."""
        for assignment in self._target.bindings().get(name, ()):
            if isinstance(assignment, meta.ImportAssignment):
                node = assignment.node
                if isinstance(node, cst.Import):
                    if source.startswith("import "):
                        return source  # `import a.b` beside `import a.c` is two statements
                    continue
                if not isinstance(node, cst.ImportFrom) or isinstance(node.names, cst.ImportStar):
                    continue
                module = self._target.imported_from(node)
                for alias in node.names:
                    theirs = bound(alias)
                    if theirs == name and f"{module}.{dotted(alias.name)}" == meaning:
                        return None
            raise CodemodError(
                f"{self._request.target} uses the name {name!r} for something else than "
                f"{self._request.module} does, and {self._request.name} needs it. Rename one first."
            )
        return source

    def refuse_twin(self, name: str) -> None:
        """Raises CodemodError when the target means another thing by a name."""
        for assignment in self._target.bindings().get(name, ()):
            if isinstance(assignment, meta.ImportAssignment) and isinstance(
                assignment.node, cst.ImportFrom
            ):
                origin = self._target.imported_from(assignment.node)
                if f"{origin}.{name}" == f"{self._request.module}.{name}":
                    continue
                if origin.startswith(self._request.module.rpartition(".")[0]):
                    continue  # a re-export of the same
            raise CodemodError(
                f"{self._request.target} already has a {name!r}, which {self._request.name} would "
                "bring along or import. Rename one of them first."
            )
