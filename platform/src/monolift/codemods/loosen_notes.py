"""What a loosened relation leaves for a person: places that need it, and what it did by itself."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import libcst as cst
import msgspec
from libcst import matchers

from monolift.codemods.loading import concrete
from monolift.codemods.names import Names, dotted
from monolift.codemods.tree import Tree

_QUERY_CALLS = frozenset(
    "aggregate annotate create acreate defer distinct earliest exclude filter get aget "
    "get_or_create aget_or_create in_bulk latest only order_by prefetch_related "
    "prefetch_related_objects select_related update aupdate update_or_create "
    "aupdate_or_create values values_list dates datetimes alias "
    "abulk_create abulk_update aearliest alatest ain_bulk aprefetch_related_objects "
    "select_for_update save asave refresh_from_db arefresh_from_db "
    "Avg Count F Max Min OuterRef Prefetch Q Sum Subquery ArrayAgg get_object_or_404 "
    "get_list_or_404 bulk_create bulk_update".split()
)
_NAMING = frozenset(("defaults", "create_defaults", "update_fields", "fields", "of"))
_LISTS = frozenset(
    "autocomplete_fields exclude fields fieldsets filter_fields filter_horizontal filterset_fields "
    "inlines list_display list_display_links list_editable list_filter list_prefetch_related "
    "list_select_related ordering ordering_fields prefetch_related radio_fields raw_id_fields "
    "read_only_fields readonly_fields related_fields search_fields select_related fk_name "
    "index_together unique_together widgets labels help_texts extra_kwargs date_hierarchy "
    "context_object_name slug_field".split()
)
_MODULES = frozenset(("models", "forms", "serializers", "views", "admin"))


class _Words(msgspec.Struct, frozen=True, kw_only=True):
    field: str
    column: str
    model: str
    accessor: str
    """How the other model's instances reach back; empty when they do not."""
    query: str
    """How the other model's queries reach back."""
    target: str
    models: frozenset[str]
    """Names of the model and of those that inherit it."""

    def lookup(self, text: str) -> str:
        """What a lookup has to do with the relation; empty when nothing."""
        parts = text.lstrip("-").split("__")
        if self.field in parts:
            return (
                f"needs {self.target}'s table"
                if parts[-1] != self.field
                else f"names the relation: it is {self.column!r} now, an id"
            )
        if self.query and self.query in parts:
            return f"reaches back from {self.target}, which cannot any more"
        return ""


class _File:
    """What the names in a file mean."""

    def __init__(self, cls: Any, tree: Tree, path: Path) -> None:
        self._model = cls
        self._tree = tree
        self._path = path

    @cached_property
    def _classes(self) -> dict[str, set[Any]]:
        """What each name that something is asked of may be; None where nobody knows."""
        names = Names(
            self._tree.read(self._path),
            module=self._tree.module(self._path),
            package=self._path.name == "__init__.py",
        )
        found: dict[str, set[Any]] = {}
        for node in matchers.findall(names.tree, matchers.Name()):
            parent = names.parent(node)
            if isinstance(parent, cst.Call):
                asked = parent.func is node
            else:
                asked = isinstance(parent, cst.Attribute) and parent.value is node
            if asked:
                meanings = names.meanings(node) or {""}
                found.setdefault(dotted(node), set()).update(map(_class, meanings))
        return found

    def holds_model(self, name: str) -> bool:
        """True for a name that may be the model, or one that inherits it."""
        held = self._classes.get(name, ())
        return any(found is not None and issubclass(found, self._model) for found in held)

    def holds_another(self, name: str) -> bool:
        """True for a name that is certainly another class."""
        held = self._classes.get(name, ())
        return bool(held) and not any(
            found is None or issubclass(found, self._model) or issubclass(self._model, found)
            for found in held
        )


def _class(name: str) -> Any:
    """The class of that full name; None when there is none, or Django did not load it."""
    module, _, own = name.rpartition(".")
    found = getattr(sys.modules.get(module), own, None)
    return found if isinstance(found, type) else None


def note(cls: Any, field: Any, tree: Tree) -> None:
    """Note each place in the files that needs the relation, as far as names tell."""
    remote = field.remote_field
    hidden = remote.hidden
    words = _Words(
        field=field.name,
        column=field.attname,
        model=cls.__name__,
        accessor="" if hidden else remote.get_accessor_name() or "",
        query="" if hidden else field.related_query_name(),
        target=remote.model._meta.label,
        models=frozenset(member.__name__ for member in (cls, *concrete(cls))),
    )
    short = re.compile(
        rf"\b(?:{'|'.join(filter(None, (words.field, words.accessor, words.query)))})"
    )
    mention = re.compile(rf"\b(?:{'|'.join(words.models)})\b")
    home = Path(cls._meta.app_config.path).resolve()
    for path in tree.python():
        text = tree.read(path)
        if short.search(text):
            sure = bool(mention.search(text)) or path.is_relative_to(home)
            for number, what in _in_python(tree.parse(path), words, _File(cls, tree, path)):
                tree.note(path, number, what, sure=sure)
    names = "|".join(re.escape(name) for name in (words.field, words.accessor) if name)
    tag = re.compile(rf"\{{[{{%][^}}]*\.({names})\b[^}}]*\}}")
    for path in tree.texts():
        if path.suffix in {".html", ".txt", ".xml"}:
            for number, line in enumerate(tree.read(path).splitlines(), start=1):
                for found in tag.finditer(line):
                    tree.note(path, number, f"a template reads `.{found[1]}`", sure=False)


def _in_python(tree: ast.Module, words: _Words, file: _File) -> Iterator[tuple[int, str]]:
    own = _own_attributes(tree, words.field)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            base = node.value.id if isinstance(node.value, ast.Name) else ""
            if base in _MODULES or id(node) in own:
                continue
            if node.attr == words.field:
                act = "sets" if isinstance(node.ctx, ast.Store) else "reads"
                text = f"{act} `.{words.field}`: a {words.model} has only `.{words.column}` now"
                yield node.lineno, text
            elif words.accessor and node.attr == words.accessor:
                text = f"uses `.{words.accessor}`: a {words.target} has it no more; "
                text += f"ask {words.model} by {words.column!r}"
                yield node.lineno, text
        elif isinstance(node, ast.Call):
            yield from _in_call(node, words, file)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if node.value and any(
                isinstance(target, ast.Name) and target.id in _LISTS for target in targets
            ):
                yield from _strings(node.value, words)
        elif isinstance(node, ast.FunctionDef) and node.name == f"clean_{words.field}":
            yield node.lineno, f"`{node.name}` is found by the name of the relation"


def _own_attributes(tree: ast.Module, field: str) -> set[int]:
    """Uses of `self.<field>` in classes that set it themselves, as tests and forms do."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef):
            continue
        uses = [
            part
            for part in ast.walk(node)
            if isinstance(part, ast.Attribute)
            and part.attr == field
            and isinstance(part.value, ast.Name)
            and part.value.id in {"self", "cls"}
        ]
        if any(isinstance(part.ctx, ast.Store) for part in uses):
            found.update(map(id, uses))
    return found


def _in_call(node: ast.Call, words: _Words, file: _File) -> Iterator[tuple[int, str]]:
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    makes = name in words.models or (
        isinstance(node.func, ast.Name)
        and any(words.lookup(word.arg or "") for word in node.keywords)
        and file.holds_model(name)
    )
    if name not in _QUERY_CALLS and not makes:
        return
    stranger = _asks_another(node, file)
    for argument in node.args:
        yield from _strings(argument, words, stranger=stranger)
    for word in node.keywords:
        if word.arg and (what := words.lookup(word.arg)) and not _own(word.arg, words, stranger):
            yield word.value.lineno, f"`{name}({word.arg}=...)` {what}"
        if word.arg in _NAMING:
            yield from _strings(word.value, words, stranger=stranger)


def _asks_another(node: ast.Call, file: _File) -> bool:
    """True for `Other.objects.filter(...)`: what it calls by the field's name is its own."""
    part: ast.AST = node.func
    after = ""
    while isinstance(part, (ast.Attribute, ast.Call)):
        if isinstance(part, ast.Attribute):
            after = part.attr
            part = part.value
        else:
            part = part.func
    return (
        isinstance(part, ast.Name)
        and after.endswith(("objects", "manager"))
        and file.holds_another(part.id)
    )


def _own(lookup: str, words: _Words, stranger: bool) -> bool:
    return stranger and lookup.lstrip("-").partition("__")[0] == words.field


def _strings(node: ast.AST, words: _Words, *, stranger: bool = False) -> Iterator[tuple[int, str]]:
    pending = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, ast.Call):
            continue  # looked at by itself
        text = part.value if isinstance(part, ast.Constant) else None
        if isinstance(part, ast.Constant) and isinstance(text, str):
            what = "" if _own(text, words, stranger) else words.lookup(text)
            if what:
                yield part.lineno, f"{text!r} {what}"
        pending.extend(ast.iter_child_nodes(part))


def advice(cls: Any, field: Any) -> Iterator[str]:
    """What a deletion did through the relation, and a sketch of what does it from now on."""
    remote = field.remote_field
    name = getattr(remote.on_delete, "__name__", "SET")
    if "set_on_delete" in getattr(remote.on_delete, "__qualname__", ""):
        name = "SET"
    target, own = remote.model.__name__, cls._meta.label
    column = field.attname
    effect = {
        "CASCADE": f"deleting a {target} deleted its {own} rows",
        "PROTECT": f"a {target} with {own} rows could not be deleted",
        "RESTRICT": f"a {target} with {own} rows could not be deleted, unless those went too",
        "SET_NULL": f"deleting a {target} set {column} of its {own} rows to NULL",
        "SET_DEFAULT": f"deleting a {target} set {column} of its {own} rows to the default",
        "SET": f"deleting a {target} gave {column} of its {own} rows another value",
        "DO_NOTHING": f"deleting a {target} left its {own} rows alone, if the database let it",
    }.get(name, f"deleting a {target} called {name}")
    if field.db_constraint:
        yield (
            "The database no longer refuses a row that names a missing "
            f"{target}. Django still acts on deletions: {effect} (on_delete={name})."
        )
        return
    yield f"Until now {effect} (on_delete={name}). Django does not do that any more."
    label, low = remote.model._meta.app_label, target.lower()
    rows = f"{cls.__name__}.objects.filter({column}=event.{low}_id)"
    act = {
        "CASCADE": f"{rows}.delete()",
        "SET_NULL": f"{rows}.update({column}=None)",
        "SET_DEFAULT": f"{rows}.update({column}={field.default!r})"
        if field.has_default()
        else f"{rows}.update({column}=...)",
        "SET": f"{rows}.update({column}=...)",
    }.get(name)
    if act is not None:
        yield f"{label} announces the deletion, and {cls._meta.app_label} acts on it:"
        yield f"    @subscribe({target}Deleted)"
        yield f"    def forget_{low}(event: {target}Deleted) -> None:"
        yield f"        {act}"
    elif name == "DO_NOTHING":
        yield "Nothing has to replace it."
    else:
        yield f"{label} asks {cls._meta.app_label} before it deletes, or marks the row as gone:"
        yield f"    if use({cls._meta.app_label.title()}).counts_{low}({low}_id={low}.pk):"
        yield f"        raise {target}InUse({low}.pk)"
    yield (
        f"Nobody guarantees any more that the {target} of a row exists: readers have to bear a "
        "missing one."
    )
