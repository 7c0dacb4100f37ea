# ruff: noqa: N802 - libcst names the methods of a transformer after its nodes
"""Takes a class, and what only it uses, out of one file and puts it into another."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, cast

import libcst as cst
import msgspec
from libcst import metadata as meta

from monolift.codemods.errors import CodemodError
from monolift.codemods.names import (
    LocalImports,
    Names,
    bound,
    changed,
    dotted,
    is_relation,
    is_target,
    keyword,
    literal,
    quoted,
    statement,
    with_imports,
)

_Place = Literal["relation", "sender", "function", "annotation", "module"]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What to take, from where, and where it goes."""

    name: str
    module: str
    """The module that defines the class."""
    package: bool
    """The module is the `__init__.py` of a package."""
    label: str
    """Label of the app it leaves."""
    target: str
    """The module it enters."""
    target_package: bool
    target_label: str
    models: Mapping[str, str]
    """Names in the defining module that are models, each with its `app_label.Model`."""
    taken: frozenset[str]
    """Names that other files or migrations use: they stay."""
    meta: Mapping[str, str]
    """Settings for `class Meta`, as source."""
    meta_base: str = ""
    """The base class whose Meta a new Meta has to inherit."""
    index_names: tuple[str | None, ...] = ()
    """For each index in Meta the name to write down."""
    starred: Mapping[str, str] = {}
    """Names that `import *` brings, each with the module it comes from."""
    texts: Mapping[str, str] = {}
    """Pieces of strings in Meta and what becomes of them, such as `%(app_label)s`."""


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
        self._bindings = self._names.bindings()
        self._class, self._unit = self._find()
        self._copied: set[cst.CSTNode | None] = set()
        """Statements both files need, such as the making of a logger."""

    def run(self) -> Extraction:
        request = self._request
        moved = self._closure()
        along = {
            name
            for name, assignments in self._bindings.items()
            for assignment in assignments
            if self._statement_of(assignment) in moved and not _is_import(assignment)
        }
        for name in sorted(along):
            self._refuse_twin(name)
        needed, local, typing_only, quoted_nodes, left = self._imports_of(moved, along)
        pieces = [
            self._adapted(piece, local, quoted_nodes)
            for piece in self._names.tree.body
            if piece in moved or piece in self._copied
        ]
        if self._copied:
            needed.append("import logging")
        target = with_imports(self._target.tree, needed, typing_only=typing_only)
        body = [*target.body, *(_spaced(piece, first=not target.body) for piece in pieces)]
        new_target = _exported(target.with_changes(body=body), request.name)
        return Extraction(
            source=self._without(moved, along),
            target=new_target.code,
            along=tuple(sorted(along - {request.name})),
            left=tuple(sorted(left)),
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

    def _statement_of(self, assignment: meta.BaseAssignment) -> cst.CSTNode | None:
        node = getattr(assignment, "node", None)
        return self._top(node) if isinstance(node, cst.CSTNode) else None

    def _top(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The statement at the top of the file that a node lies in."""
        chain = [node, *self._names.around(node)]
        return chain[-2] if len(chain) > 1 and chain[-1] is self._names.tree else None

    def _users(self, assignments: Iterable[meta.BaseAssignment]) -> set[cst.CSTNode | None]:
        return {
            self._top(access.node) for assignment in assignments for access in assignment.references
        }

    def _closure(self) -> set[cst.CSTNode]:
        """The class's statement, and the statements that nothing else uses."""
        moved: set[cst.CSTNode] = {self._unit}
        grown = True
        while grown:
            grown = False
            for name, assignments in self._bindings.items():
                if (
                    name in self._request.taken
                    or name in self._request.models
                    or name == "__all__"
                    or any(_is_import(assignment) for assignment in assignments)
                ):
                    continue
                holders = {self._statement_of(assignment) for assignment in assignments}
                users = self._users(assignments)
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

    # -- what it needs --

    def _imports_of(
        self, moved: set[cst.CSTNode], along: set[str]
    ) -> tuple[list[str], dict[cst.FunctionDef, list[str]], list[str], set[cst.CSTNode], set[str]]:
        needed: list[str] = []
        typing_only: list[str] = []
        local: dict[cst.FunctionDef, list[str]] = {}
        annotations: set[cst.CSTNode] = set()
        left: set[str] = set()
        for name in sorted(self._unbound(moved) & self._request.starred.keys()):
            origin = self._request.starred[name]
            source = self._fitting(name, f"from {origin} import {name}", f"{origin}.{name}")
            needed += [source] if source else []
        for name, assignments in self._bindings.items():
            if name in along:
                continue
            for assignment in assignments:
                accesses = [
                    access.node
                    for access in assignment.references
                    if self._top(access.node) in moved
                ]
                places = [(node, self._place(node)) for node in accesses]
                if name in self._request.models:
                    places = [(node, place) for node, place in places if place != "relation"]
                if name == "__all__" or not places:
                    continue
                if isinstance(assignment, meta.ImportAssignment):
                    source = self._import_again(assignment)
                    if source is None:
                        continue
                    guarded = isinstance(self._statement_of(assignment), cst.If)
                    (typing_only if guarded else needed).append(source)
                    continue
                if self._is_logger(assignment):
                    if name not in self._target.bindings():
                        self._copied.add(self._statement_of(assignment))
                    continue
                left.add(name)
                self._refuse_twin(name)
                source = f"from {self._request.module} import {name}"
                for node, place in places:
                    function = self._function(node)
                    if place == "function" and function is not None:
                        local.setdefault(function, []).append(source)
                    elif place == "annotation":
                        typing_only.append(source)
                        annotations.add(self._annotation(node))
                    else:
                        needed.append(source)
                        break
        return needed, local, typing_only, annotations, left

    def _unbound(self, moved: set[cst.CSTNode]) -> set[str]:
        """Names that the file does not bind itself."""
        return {
            access.node.value
            for scope in self._names.scopes()
            for access in scope.accesses
            if isinstance(access.node, cst.Name)
            and not access.referents
            and self._top(access.node) in moved
        }

    def _is_logger(self, assignment: meta.BaseAssignment) -> bool:
        holder = self._statement_of(assignment)
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
        module = self._names.imported_from(node)
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

    def _refuse_twin(self, name: str) -> None:
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

    # -- where a name is used --

    def _place(self, node: cst.CSTNode) -> _Place:
        inner: cst.CSTNode = node
        for above in self._names.around(node):
            if isinstance(above, cst.Annotation):
                return "annotation"
            if isinstance(above, cst.Arg) and isinstance(inner, (cst.Name, cst.Attribute)):
                call = self._names.parent(above)
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

    def _function(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """The outermost function whose body holds a node."""
        inner: cst.CSTNode = node
        found = None
        for above in self._names.around(node):
            if isinstance(above, cst.FunctionDef) and inner is above.body:
                found = above
            inner = above
        return found

    def _annotation(self, node: cst.CSTNode) -> cst.CSTNode:
        return next(
            above for above in self._names.around(node) if isinstance(above, cst.Annotation)
        )

    # -- the pieces --

    def _adapted(
        self,
        piece: cst.CSTNode,
        local: Mapping[cst.FunctionDef, Sequence[str]],
        annotations: set[cst.CSTNode],
    ) -> cst.BaseStatement:
        request = self._request
        quote = set() if self._target.defers() else annotations
        result = changed(piece, _Moved(self._names, request, self._class, self._place, quote))
        # The nodes of functions are new now: imports are put in by place.
        result = _into_functions(piece, result, local)
        if piece is self._unit and isinstance(result, cst.If) and not _list_of_names(self._target):
            inner = [line for line in result.body.body if not _is_export(line)]
            result = result.with_changes(body=result.body.with_changes(body=inner))
        return cast("cst.BaseStatement", result)

    def _without(self, moved: set[cst.CSTNode], along: set[str]) -> str:
        """The file that stays, with imports of what it still uses."""
        needed: list[str] = []
        local: dict[cst.FunctionDef, list[str]] = {}
        typing_only: list[str] = []
        quote: set[cst.CSTNode] = set()
        for name in along:
            for assignment in self._bindings[name]:
                for access in assignment.references:
                    if self._top(access.node) in moved:
                        continue
                    place = self._place(access.node)
                    function = self._function(access.node)
                    source = f"from {self._request.target} import {name}"
                    if place in {"relation", "sender"}:
                        continue
                    if place == "function" and function is not None:
                        local.setdefault(function, []).append(source)
                    elif place == "annotation":
                        typing_only.append(source)
                        quote.add(self._annotation(access.node))
                    else:
                        needed.append(source)
        unused = self._unused(moved)
        kept = []
        for piece in self._names.tree.body:
            if piece in moved:
                continue
            after: cst.CSTNode | None = piece
            if isinstance(piece, cst.SimpleStatementLine):
                after = _without_imports(piece, unused)
            if after is None:
                continue
            if not self._names.defers():
                after = changed(after, _Quoter(quote))
            after = _into_functions(piece, after, local)
            kept.append(after)
        tree = self._names.tree.with_changes(body=kept)
        return with_imports(tree, needed, typing_only=typing_only).code

    def _unused(self, moved: set[cst.CSTNode]) -> dict[cst.CSTNode, set[str]]:
        """Imports that only what has moved used: statement, names."""
        found: dict[cst.CSTNode, set[str]] = {}
        for name, assignments in self._bindings.items():
            if name in self._request.taken:
                continue
            for assignment in assignments:
                users = self._users([assignment])
                if isinstance(assignment, meta.ImportAssignment) and users and users <= moved:
                    found.setdefault(assignment.node, set()).add(assignment.name)
        return found


class _Quoter(cst.CSTTransformer):
    """Puts annotations into quotes, so that they are not evaluated."""

    def __init__(self, wanted: set[cst.CSTNode]) -> None:
        super().__init__()
        self._wanted = wanted

    def leave_Annotation(
        self, original_node: cst.Annotation, updated_node: cst.Annotation
    ) -> cst.Annotation:
        if original_node not in self._wanted or isinstance(
            original_node.annotation, cst.SimpleString
        ):
            return updated_node
        code = cst.Module(body=()).code_for_node(updated_node.annotation)
        return updated_node.with_changes(annotation=quoted(code.replace('"', "'")))


class _Moved(_Quoter):
    """The changes inside what moves: targets by full name, Meta, quoted annotations."""

    def __init__(
        self,
        names: Names,
        request: Request,
        model: cst.ClassDef,
        place: Callable[[cst.CSTNode], _Place],
        annotations: set[cst.CSTNode],
    ) -> None:
        super().__init__(annotations)
        self._names = names
        self._request = request
        self._model = model
        self._place = place

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        if not is_relation(original_node):
            return updated_node
        args = list(updated_node.args)
        for index, arg in enumerate(original_node.args):
            if not is_target(index, arg):
                continue
            text = literal(arg.value)
            if text is not None:
                unqualified = "." not in text and text not in {"self", ""}
                if unqualified and text.lower() != self._request.name.lower():
                    like = cst.ensure_type(arg.value, cst.SimpleString)
                    value = quoted(f"{self._request.label}.{text}", like)
                    args[index] = args[index].with_changes(value=value)
            elif dotted(arg.value) != self._request.name:
                label = self._request.models.get(dotted(arg.value))
                if label:
                    args[index] = args[index].with_changes(value=quoted(label))
        return updated_node.with_changes(args=args)

    def leave_ClassDef(
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> cst.ClassDef:
        if original_node is not self._model:
            return updated_node
        block = updated_node.body
        if not isinstance(block, cst.IndentedBlock):
            block = cst.IndentedBlock(body=[cst.SimpleStatementLine(body=[cst.Pass()])])
        body = list(block.body)
        for index, line in enumerate(body):
            if isinstance(line, cst.ClassDef) and line.name.value == "Meta":
                body[index] = self._meta(line)
                return updated_node.with_changes(body=block.with_changes(body=body))
        if not self._request.meta:
            return updated_node
        base = f"({self._request.meta_base}.Meta)" if self._request.meta_base else ""
        lines = "\n".join(f"    {key} = {value}" for key, value in self._request.meta.items())
        new = statement(f"class Meta{base}:\n{lines}\n")
        place = self._after_fields(body)
        if place or len(body) > 1:
            new = new.with_changes(leading_lines=[cst.EmptyLine(indent=False)])
        if place < len(body) and not _blank_before(body[place]):
            body[place] = body[place].with_changes(
                leading_lines=[
                    cst.EmptyLine(indent=False),
                    *getattr(body[place], "leading_lines", ()),
                ]
            )
        body.insert(place, new)
        body = [line for line in body if not _is_pass(line)]
        if len(body) == 1:
            body[0] = body[0].with_changes(leading_lines=[])
        return updated_node.with_changes(body=block.with_changes(body=body))

    @staticmethod
    def _after_fields(body: Sequence[cst.CSTNode]) -> int:
        place = 0
        for index, line in enumerate(body):
            if isinstance(line, cst.SimpleStatementLine):
                place = index + 1
            elif isinstance(line, cst.FunctionDef):
                break
        return place

    def _meta(self, node: cst.ClassDef) -> cst.ClassDef:
        settings = dict(self._request.meta)
        block = node.body
        lines = list(block.body) if isinstance(block, cst.IndentedBlock) else []
        kept = []
        for line in lines:
            if isinstance(line, cst.SimpleStatementLine) and isinstance(line.body[0], cst.Assign):
                target = dotted(line.body[0].targets[0].target)
                if target == "app_label":
                    value = quoted(self._request.target_label)
                    new = line.body[0].with_changes(value=value)
                    line = line.with_changes(body=[new, *line.body[1:]])
                elif target == "indexes":
                    new = self._named(cst.ensure_type(line.body[0], cst.Assign))
                    line = line.with_changes(body=[new, *line.body[1:]])
                settings.pop(target, None)
            if not _is_pass(line):
                kept.append(line)
        added = [statement(f"{key} = {value}") for key, value in settings.items()]
        body = [*kept, *added]
        if isinstance(block, cst.IndentedBlock):
            fresh = node.with_changes(body=block.with_changes(body=body))
        else:
            fresh = node.with_changes(body=cst.IndentedBlock(body=body))
        return cst.ensure_type(changed(fresh, _Texts(self._request.texts)), cst.ClassDef)

    def _named(self, node: cst.Assign) -> cst.Assign:
        """The indexes of Meta, each with its name written down."""
        value = node.value
        names = self._request.index_names
        if not isinstance(value, (cst.List, cst.Tuple)) or len(value.elements) != len(names):
            return node
        elements = []
        for element, name in zip(value.elements, names, strict=True):
            call = element.value
            if (
                name
                and isinstance(call, cst.Call)
                and not any(dotted(arg.keyword) == "name" for arg in call.args)
            ):
                call = call.with_changes(args=[*call.args, keyword("name", quoted(name))])
            elements.append(element.with_changes(value=call))
        return node.with_changes(value=value.with_changes(elements=elements))


class _Texts(cst.CSTTransformer):
    """Replaces pieces of strings."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__()
        self._texts = texts

    def leave_SimpleString(
        self, original_node: cst.SimpleString, updated_node: cst.SimpleString
    ) -> cst.SimpleString:
        value = updated_node.value
        for old, new in self._texts.items():
            value = value.replace(old, new)
        return updated_node.with_changes(value=value)


class _Functions(cst.CSTVisitor):
    """The functions of a piece, in the order of the file."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[cst.FunctionDef] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.found.append(node)


def _into_functions(
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


def _is_import(assignment: meta.BaseAssignment) -> bool:
    return isinstance(assignment, meta.ImportAssignment)


def _is_pass(line: cst.CSTNode) -> bool:
    return isinstance(line, cst.SimpleStatementLine) and isinstance(line.body[0], cst.Pass)


def _blank_before(line: cst.CSTNode) -> bool:
    return any(empty.comment is None for empty in getattr(line, "leading_lines", ()))


def _is_export(line: cst.CSTNode) -> bool:
    return (
        isinstance(line, cst.SimpleStatementLine)
        and isinstance(line.body[0], cst.Expr)
        and isinstance(line.body[0].value, cst.Call)
        and dotted(line.body[0].value.func).startswith("__all__.")
    )


def _list_of_names(names: Names) -> bool:
    return "__all__" in names.bindings()


def _exported(tree: cst.Module, name: str) -> cst.Module:
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


def _spaced(piece: cst.BaseStatement, *, first: bool) -> cst.BaseStatement:
    comments = [line for line in getattr(piece, "leading_lines", ()) if line.comment is not None]
    blank = [] if first else [cst.EmptyLine(indent=False), cst.EmptyLine(indent=False)]
    return piece.with_changes(leading_lines=[*blank, *comments])


def _without_imports(
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
