"""Where the names of a file are used: at its top, in functions, annotations and relations."""

from collections.abc import Iterable
from typing import Literal

import libcst as cst
from libcst import metadata as meta

from monolift.codemods.names import Names, dotted, is_relation, is_target

Place = Literal["relation", "sender", "function", "annotation", "module"]


class Uses:
    """Answers for the names that one file binds."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.bindings = names.bindings()
        """The assignments of each name at the top of the file."""

    def statement_of(self, assignment: meta.BaseAssignment) -> cst.CSTNode | None:
        """The statement at the top of the file that binds a name; None for builtins."""
        node = getattr(assignment, "node", None)
        return self.top(node) if isinstance(node, cst.CSTNode) else None

    def top(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The statement at the top of the file that a node lies in."""
        chain = [node, *self.names.around(node)]
        return chain[-2] if len(chain) > 1 and chain[-1] is self.names.tree else None

    def users(self, assignments: Iterable[meta.BaseAssignment]) -> set[cst.CSTNode | None]:
        """The statements at the top of the file that use what is bound."""
        return {
            self.top(access.node) for assignment in assignments for access in assignment.references
        }

    def unbound(self, moved: set[cst.CSTNode]) -> set[str]:
        """Names in the statements that move which the file does not bind itself."""
        return {
            access.node.value
            for scope in self.names.scopes()
            for access in scope.accesses
            if isinstance(access.node, cst.Name)
            and not access.referents
            and self.top(access.node) in moved
        }

    def place(self, node: cst.CSTNode) -> Place:
        """What a name is used as; when it is evaluated follows from that."""
        inner: cst.CSTNode = node
        for above in self.names.around(node):
            if isinstance(above, cst.Annotation):
                return "annotation"
            if isinstance(above, cst.Arg) and isinstance(inner, (cst.Name, cst.Attribute)):
                call = self.names.parent(above)
                if isinstance(call, cst.Call):
                    if is_relation(call) and is_target(call.args.index(above), above):
                        return "relation"
                    last = dotted(call.func).rpartition(".")[2]
                    if last in {"receiver", "connect"} and dotted(above.keyword) == "sender":
                        return "sender"
            if isinstance(above, cst.FunctionDef) and inner is above.body:
                return "function"
            inner = above
        return "module"

    def function(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """The outermost function whose body holds a node."""
        inner: cst.CSTNode = node
        found = None
        for above in self.names.around(node):
            if isinstance(above, cst.FunctionDef) and inner is above.body:
                found = above
            inner = above
        return found

    def annotation(self, node: cst.CSTNode) -> cst.CSTNode:
        """The annotation that holds a node whose place is one."""
        return next(above for above in self.names.around(node) if isinstance(above, cst.Annotation))


def is_import(assignment: meta.BaseAssignment) -> bool:
    """Whether an import statement binds the name."""
    return isinstance(assignment, meta.ImportAssignment)
