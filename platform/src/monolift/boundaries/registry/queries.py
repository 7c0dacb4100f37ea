"""Queries that reach other modules' tables: lookup paths and reverse accessors in code."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from monolift.boundaries.files import SourceFile
from monolift.boundaries.registry import rules
from monolift.boundaries.registry.calls import ADMIN, QUERIES, paths_in_call, texts
from monolift.boundaries.registry.graph import Accessor, ModelGraph, ask, named
from monolift.boundaries.registry.inference import Inference, Typed, What, last
from monolift.boundaries.registry.own_names import own_names
from monolift.boundaries.registry.paths import Crossing, Use, crossing
from monolift.boundaries.registry.sources import Sources
from monolift.boundaries.violations import Violation

_OF_MANAGERS = frozenset(
    ("all", "filter", "exclude", "count", "exists", "first", "last", "get", "create", "add",
     "remove", "set", "clear", "order_by", "values", "values_list", "select_related", "aggregate",
     "prefetch_related", "annotate", "update", "delete", "get_or_create", "update_or_create",
     "bulk_create", "latest", "earliest", "iterator", "in_bulk", "distinct", "only", "defer",
     "aget", "acount", "aexists", "afirst", "alast")
)  # fmt: skip

_ROWS = frozenset(("instance", "obj"))
"""What Django and its companions call the row that a method of a form, admin or serializer is
given."""


def query_violations(graph: ModelGraph, sources: Sources) -> Iterator[Violation]:
    """Lookups and accessors in the modules' files that need another module's table.

    A file that holds no name of a relation into another module is not parsed.
    """
    patterns = {
        label: re.compile("|".join(map(re.escape, sorted(words))).encode())
        for label, words in graph.words.items()
        if words
    }
    for file in sources.files if patterns else ():
        pattern = patterns.get(file.module)
        if pattern is None or file.part == "migrations":
            continue
        path = graph.project.root / file.path
        try:
            content = path.read_bytes()
        except OSError:
            continue
        if pattern.search(content) and (tree := sources.tree(path)):
            reader = _Reader(graph, sources, file, tree)
            reader.visit(tree)
            yield from reader.found


class _Reader(ast.NodeVisitor):
    """Reads one file from top to bottom, as it would run."""

    def __init__(
        self, graph: ModelGraph, sources: Sources, file: SourceFile, tree: ast.Module
    ) -> None:
        self.found: list[Violation] = []
        self._graph = graph
        self._sources = sources
        self._file = file
        self._module = graph.project.by_label[file.module]
        self._infer = Inference(graph, file, tree)
        self._scope = [file.name]
        self._root: Any = None
        self._selves: list[Any] = []
        self._tree = tree

    @cached_property
    def _registered(self) -> dict[str, list[ast.expr]]:
        return dict(_registered(self._tree))

    @cached_property
    def _aliases(self) -> set[str]:
        return {
            word.arg
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Call)
            and last(node.func) in {"annotate", "alias", "aggregate", "values", "extra"}
            for word in node.keywords
            if word.arg
        }

    # --- scopes ---------------------------------------------------------------------------------

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        kept = self._infer.model, self._root, dict(self._infer.names)
        own = self._graph.models_at(".".join((*self._scope, node.name)), self._file.module)
        if node.name != "Meta":
            self._infer.model = own[0] if own else self._about(node)
            self._root = None
        elif kept[0] is not None:
            self._root = kept[0]
        self._scope.append(node.name)
        self._attributes(node, is_meta=node.name == "Meta")
        for statement in node.body:
            self.visit(statement)
        self._scope.pop()
        self._infer.model, self._root, self._infer.names = kept

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        kept, root, selves = dict(self._infer.names), self._root, self._selves
        self._root = None
        models = self._graph.models_at(".".join(self._scope), self._file.module)
        about = None if models else self._infer.model
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            typed = self._infer.annotated(argument.annotation)
            if argument.annotation is None and argument.arg in _ROWS and about is not None:
                typed = Typed(What.ROW, about)
            self._infer.names[argument.arg] = typed
        self._selves = models
        if models and node.args.args and node.args.args[0].arg == "self":
            self._infer.names["self"] = Typed(What.ROW, models[0])
        elif (managed := self._managed()) is not None:
            self._infer.names["self"] = Typed(What.QUERY, managed)
        else:
            self._infer.names.pop("self", None)
        self._scope.append(node.name)
        for statement in node.body:
            self.visit(statement)
        self._scope.pop()
        self._infer.names, self._root, self._selves = kept, root, selves

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def _managed(self) -> Any:
        """The model whose manager or queryset the class around is, when it is one model's."""
        name = ".".join(self._scope)
        models = {
            model
            for model in self._graph.of_module.get(self._file.module, ())
            for manager in model._meta.managers
            for kind in (
                *type(manager).__mro__,
                *getattr(manager, "_queryset_class", object).__mro__,
            )
            if f"{kind.__module__}.{kind.__qualname__}" == name
        }
        return models.pop() if len(models) == 1 else None

    def _about(self, node: ast.ClassDef) -> Any:
        """The model that a view, form, serializer or admin is about."""
        candidates: list[ast.expr] = list(self._registered.get(node.name, ()))
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and last(decorator.func) == "register":
                candidates += decorator.args[:1]
        for statement in node.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id="model" | "queryset")], value=value):
                    candidates.append(value)
                case ast.ClassDef(name="Meta", body=body):
                    for inner in body:
                        match inner:
                            case ast.Assign(targets=[ast.Name(id="model")], value=value):
                                candidates.append(value)
                            case _:
                                continue
                case _:
                    continue
        for candidate in candidates:
            if typed := self._infer.of(candidate):
                return typed.model
        return None

    def _attributes(self, node: ast.ClassDef, *, is_meta: bool) -> None:
        """Lookup paths that a class's attributes list, as admins and `Meta.ordering` have them."""
        admin = self._infer.model is not None or any(
            last(base).endswith(("Admin", "Inline")) for base in node.bases
        )
        for statement in node.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    pass
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    pass
                case _:
                    continue
            if is_meta and name != "ordering":
                continue
            if admin and name in ADMIN:
                for path, line in texts(value):
                    self._path(
                        self._infer.model, path.lstrip("-^=@"), line, ADMIN[name], exact=True
                    )

    # --- names ----------------------------------------------------------------------------------

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        typed = self._infer.of(node.value)
        for target in node.targets:
            self._bind(target, typed)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
        self._bind(
            node.target, self._infer.annotated(node.annotation) or self._infer.of(node.value)
        )

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self._bind(node.target, self._infer.of(node.value))

    def _loop(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self._bind(node.target, self._row(node.iter))
        for statement in (*node.body, *node.orelse):
            self.visit(statement)

    def visit_For(self, node: ast.For) -> None:
        self._loop(node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        self._loop(node)

    def _comprehension(self, node: Any) -> None:
        kept = dict(self._infer.names)
        for generator in node.generators:
            self.visit(generator.iter)
            self._bind(generator.target, self._row(generator.iter))
            for condition in generator.ifs:
                self.visit(condition)
        for part in ("key", "value", "elt"):
            if hasattr(node, part):
                self.visit(getattr(node, part))
        self._infer.names = kept

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehension(node)

    def _row(self, node: ast.expr) -> Typed | None:
        found = self._infer.of(node)
        return Typed(What.ROW, found.model) if found and found.what is What.QUERY else None

    def _bind(self, target: ast.expr, typed: Typed | None) -> None:
        if isinstance(target, ast.Name):
            self._infer.names[target.id] = typed
        elif isinstance(target, ast.Tuple | ast.List):
            for one in target.elts:
                self._bind(one, None)
        else:
            self.visit(target)

    # --- queries --------------------------------------------------------------------------------

    def visit_Call(self, node: ast.Call) -> None:
        name = last(node.func)
        root = self._root
        if name in QUERIES:
            start = None
            if isinstance(node.func, ast.Attribute):
                start = self._infer.of(node.func.value)
            elif node.args:
                start = self._infer.of(node.args[0])
            root = start.model if start and start.what is not What.ROW else None
        elif name == "OuterRef":
            root = None
        for path, line, use in paths_in_call(name, node):
            self._path(root, path, line, use, exact=False)
        if name == "getattr" and len(node.args) > 1:
            match node.args[1]:
                case ast.Constant(value=str() as attribute):
                    self._accessor(node.args[0], attribute, node.lineno, as_manager=False)
                case _:
                    pass
        self.visit(node.func)
        kept, self._root = self._root, root
        for argument in (*node.args, *node.keywords):
            self.visit(argument)
        self._root = kept

    def visit_Attribute(self, node: ast.Attribute) -> None:
        inner = node.value
        if isinstance(inner, ast.Attribute) and node.attr in _OF_MANAGERS:
            self._accessor(
                inner.value, inner.attr, inner.end_lineno or node.lineno, as_manager=True
            )
        if isinstance(node.ctx, ast.Load):
            self._accessor(node.value, node.attr, node.end_lineno or node.lineno, as_manager=False)
        self.visit(node.value)

    def _path(self, root: Any, path: str, line: int, use: Use, *, exact: bool) -> None:
        if root is None:
            found = self._of_any(path, use)
        else:
            found = crossing(self._graph, self._file.module, root, path, use)
        if found is None:
            return
        if any(path == alias or path.startswith(f"{alias}__") for alias in self._aliases):
            return
        owner = self._graph.project.by_label[found.label]
        if use is Use.PREFETCH and found.reverse:
            self._tell_accessor(found.start, found.name, found.target, found.label, line)
            return
        what = "loads" if use is Use.LOAD and not exact else "goes through"
        entered = ".".join(found.target.split(".")[:2])
        self._tell(
            rules.LOOKUP,
            found.target,
            line,
            f"the lookup {path!r} {what} {entered}, a table of {owner.label}",
            f"First {ask(self._module, owner)}, and use the ids or values of its answer; or keep a "
            f"copy of the column in {self._file.module} that events of {owner.label} update.",
        )

    def _of_any(self, path: str, use: Use) -> Crossing | None:
        """What the path reaches from every model of the module that it could start from."""
        first, joined, _ = path.partition("__")
        if not joined and use not in {Use.LOAD, Use.PREFETCH}:
            return None
        found: list[Crossing] = []
        for model in self._graph.of_module.get(self._file.module, ()):
            if self._graph.hop(model, first, accessor=use is Use.PREFETCH) is None:
                if first in {field.name for field in model._meta.fields}:
                    return None
                continue
            reached = crossing(self._graph, self._file.module, model, path, use)
            if reached is None:
                return None
            found.append(reached)
        return min(found, key=lambda one: one.target) if found else None

    # --- reverse accessors ----------------------------------------------------------------------

    def _accessor(self, base: ast.expr, name: str, line: int, *, as_manager: bool) -> None:
        candidates = [
            one
            for one in self._graph.accessors.get(name, ())
            if self._graph.label_of(one.related) != self._file.module
        ]
        if not candidates:
            return
        typed = self._infer.of(base)
        if typed is not None:
            if typed.what is What.QUERY:
                return
            is_self = isinstance(base, ast.Name) and base.id == "self" and self._selves
            models = tuple(self._selves) if is_self else (typed.model,)
            matching = [
                one for one in candidates if any(issubclass(model, one.owner) for model in models)
            ]
        elif as_manager or name.endswith("_set"):
            matching = self._by_guess(base, name, candidates)
        else:
            return
        if matching:
            one = min(matching, key=lambda one: (named(one.owner), named(one.related)))
            label = self._graph.label_of(one.related)
            self._tell_accessor(one.owner, name, named(one.related), label, line)

    def _by_guess(self, base: ast.expr, name: str, candidates: list[Accessor]) -> list[Accessor]:
        """Of an object of unknown class: what it is called, else what nothing else can mean.

        Both sides of the relation may be one other module's; then the object has to be called as
        its class is, because nothing but its name says that it comes from there.
        """
        all_of_name = self._graph.accessors.get(name, ())
        spoken = _spoken(last(base))
        found = [one for one in all_of_name if one.owner.__name__.lower() in spoken]
        if not found:
            taken = self._graph.forward | own_names(self._graph, self._sources, self._file.module)
            own = self._graph.of_module.get(self._file.module, ())
            if name in taken or any(model.__name__.lower() in spoken for model in own):
                return []
            found = [
                one
                for one in all_of_name
                if self._graph.label_of(one.related) != self._graph.label_of(one.owner)
            ]
        sure = len({self._graph.label_of(one.related) for one in found}) == 1
        return found if sure and all(one in candidates for one in found) else []

    def _tell_accessor(self, model: Any, name: str, read: str, label: str, line: int) -> None:
        owner = self._graph.project.by_label[label]
        entered = ".".join(read.split(".")[:2])
        self._tell(
            rules.REVERSE_ACCESSOR,
            f"{entered}.{name}",
            line,
            f"{named(model)}.{name} reads {entered}, a table of {owner.label}",
            f"Instead, {ask(self._module, owner)}, with the id of the {model.__name__}.",
        )

    def _tell(self, rule: str, target: str, line: int, what: str, way_out: str) -> None:
        source = ".".join(self._scope)
        package = self._file.package
        self.found.append(
            Violation(
                module=self._file.module,
                owner=self._module.owner,
                rule=rule,
                source=source,
                target=target,
                path=self._file.path,
                line=line,
                message=f"In {source.removeprefix(f'{package}.')}, {what}.",
                way_out=way_out,
            )
        )


def _spoken(name: str) -> set[str]:
    """What a variable may be one of: `default_price_list` a price list, or a list."""
    parts = name.lower().split("_")
    return {"".join(parts[index:]) for index in range(len(parts))}


def _registered(tree: ast.Module) -> Iterable[tuple[str, list[ast.expr]]]:
    """(class of an admin, models) of each `admin.site.register(Model, Class)`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="register"), args=[model, ast.Name(id=name), *_]):
                yield name, [model]
            case _:
                continue
