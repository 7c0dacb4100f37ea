"""Moves a model to another app of the project."""

import ast
import re
import sys
from pathlib import Path
from typing import Any

import msgspec

from monolift.codemods import move_migrations, move_notes
from monolift.codemods.errors import CodemodError
from monolift.codemods.extraction import Extraction, extract
from monolift.codemods.extraction_request import Request
from monolift.codemods.loading import app, concrete, model, offering
from monolift.codemods.migration_files import History
from monolift.codemods.names import with_imports
from monolift.codemods.references import Move, rewrite
from monolift.codemods.tree import Tree


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What a move did."""

    along: tuple[str, ...]
    """Names that went with the class, because nothing else uses them."""
    left: tuple[str, ...]
    """Names it needs that stayed; the new file imports them."""
    migrations: tuple[str, ...]
    """Each as `app.name`, in the order they run."""


def move_model(name: str, *, to: str, tree: Tree, rename_table: bool = False) -> Moved:
    """Move the model `app.Model` to the app `to`, within `tree`; nothing is saved.

    Raises CodemodError when it cannot be done, before anything is changed on the disk.
    """
    cls = model(name)
    config: Any = app(to)
    meta = cls._meta
    history = History()
    _refuse(cls, config, tree, rename_table=rename_table)
    _refuse_relatives(cls, history)
    source = Path(str(sys.modules[cls.__module__].__file__)).resolve()
    target_module, target, offered = _target(config, cls.__name__)
    move = Move(
        name=cls.__name__,
        old=meta.app_label,
        new=config.label,
        old_package=meta.app_config.name,
        new_package=config.name,
        old_modules=offering(cls),
        new_module=offered,
        codenames=tuple(
            [f"{action}_{meta.model_name}" for action in meta.default_permissions]
            + [codename for codename, _ in meta.permissions]
        ),
        modules=_modules(meta.app_config),
    )
    labels = {meta.app_label, config.label, *_referring_apps(cls)}
    history.refuse_pending(labels)
    done = _extract(cls, tree, move, source, target_module, target, keep=not rename_table)
    if target_module != offered:
        _offer(tree, Path(str(config.models_module.__file__)), target_module, cls.__name__)
    _qualify_abstract(cls, tree, move)
    for path in tree.python():
        text = tree.read(path)
        named = re.search(rf"{move.name}|{re.escape(move.old)}[._]", text, re.IGNORECASE)
        if named and tree.valid(path):
            package = path.name == "__init__.py"
            new = rewrite(text, move=move, module=tree.module(path), package=package)
            if new != text:
                tree.write(path, new)
    move_notes.rewrite_texts(tree, move)
    keys = move_migrations.write(
        tree,
        history,
        model=cls,
        label=meta.app_label,
        target=config.label,
        rename_table=rename_table,
    )
    kept = frozenset(item.name for item in (*meta.indexes, *meta.constraints))
    move_notes.note(tree, move, table=meta.db_table, renamed=rename_table, kept=kept)
    return Moved(
        along=done.along,
        left=done.left,
        migrations=tuple(f"{label}.{key}" for label, key in keys),
    )


def _refuse(cls: Any, config: Any, tree: Tree, *, rename_table: bool) -> None:
    meta = cls._meta
    shown = f"{meta.app_label}.{cls.__name__}"
    if meta.app_label == config.label:
        raise CodemodError(f"{shown} is in {config.label!r} already.")
    if meta.proxy:
        raise CodemodError(
            f"{shown} is a proxy of {meta.concrete_model._meta.label}: it has no table. Move the "
            "class by hand; Django writes the migrations itself."
        )
    if meta.auto_created:
        raise CodemodError(f"{shown} is made by a ManyToManyField: move the model of the field.")
    if meta.swappable:
        raise CodemodError(
            f"{shown} is swappable by {meta.swappable}: other apps' migrations name the setting, "
            "and the migrations that are applied cannot be changed. It has to stay."
        )
    if meta.parents:
        parents = ", ".join(parent._meta.label for parent in meta.parents)
        raise CodemodError(
            f"{shown} inherits the table of {parents}. Multi-table inheritance cannot be moved: "
            "replace it by a OneToOneField first."
        )
    if any(other.__name__.lower() == meta.model_name for other in config.get_models()):
        raise CodemodError(
            f"{config.label!r} has a model {cls.__name__!r} already. Rename one of them first."
        )
    if rename_table and "db_table" in meta.original_attrs:
        raise CodemodError(
            f"{shown} names its table itself (db_table = {meta.db_table!r}), so --rename-table has "
            "no name to give. Leave the option out, or change db_table afterwards."
        )
    for place, what in ((sys.modules[cls.__module__].__file__, shown), (config.path, config.label)):
        if not place or not tree.holds(place):
            raise CodemodError(
                f"{what} lies outside the project {tree.root} (in {place}). Say --root for the "
                "folder that holds both apps."
            )


def _refuse_relatives(cls: Any, history: History) -> None:
    """Raise CodemodError for models whose migrations name this one as a base, for good."""
    from django.apps import apps

    meta = cls._meta
    for other in apps.get_models(include_auto_created=True):
        if other is not cls and issubclass(other, cls):
            kind = "proxy" if other._meta.proxy else "child with a table of its own"
            raise CodemodError(
                f"{other._meta.label} is a {kind} of {meta.label}, and Django's migrations cannot "
                "change the bases of a model. Remove it first, and make it again afterwards."
            )
    low = meta.label_lower
    for state in history.state.models.values():
        if any(isinstance(base, str) and base.lower() == low for base in state.bases):
            raise CodemodError(
                f"The migrations say that {state.app_label}.{state.name} inherits from "
                f"{meta.label}. Remove that model first."
            )


def _referring_apps(cls: Any) -> set[str]:
    """Labels of the project's apps whose models refer to the class."""
    return {
        relation.related_model._meta.app_label
        for relation in cls._meta.get_fields(include_hidden=True)
        if relation.auto_created and relation.is_relation and not relation.concrete
    }


def _modules(config: Any) -> frozenset[str]:
    """What Python can import as `label.name`."""
    if config.name != config.label:
        return frozenset()
    return frozenset(path.stem for path in Path(config.path).iterdir())


def _target(config: Any, name: str) -> tuple[str, Path, str]:
    """The module and file the class enters, and the module that offers it."""
    if config.models_module is None:
        return f"{config.name}.models", Path(config.path) / "models.py", f"{config.name}.models"
    file = Path(config.models_module.__file__).resolve()
    offered = config.models_module.__name__
    if file.name != "__init__.py":
        return offered, file, offered
    own = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return f"{offered}.{own}", file.parent / f"{own}.py", offered


def _extract(
    cls: Any, tree: Tree, move: Move, source: Path, module: str, target: Path, *, keep: bool
) -> Extraction:
    meta = cls._meta
    defining = sys.modules[cls.__module__]
    models = {
        name: value._meta.label
        for name, value in vars(defining).items()
        if isinstance(value, type)
        and hasattr(value, "_meta")
        and not getattr(value._meta, "abstract", True)
    }
    names = [index.name for index in meta.indexes]
    settings = {}
    if keep and "db_table" not in meta.original_attrs:
        settings["db_table"] = f'"{meta.db_table}"'
    if "app_label" in meta.original_attrs:
        settings["app_label"] = f'"{move.new}"'  # an abstract base may name its app for all
    base = next((base.__name__ for base in cls.__bases__ if hasattr(base, "Meta")), "")
    texts = {"%(app_label)s": meta.app_label}
    done = extract(
        tree.read(source),
        tree.read(target),
        request=Request(
            name=cls.__name__,
            module=cls.__module__,
            package=source.name == "__init__.py",
            label=meta.app_label,
            target=module,
            target_package=target.name == "__init__.py",
            target_label=move.new,
            models=models,
            taken=_taken(tree, move, source) - {cls.__name__},
            meta=settings,
            meta_base=base,
            index_names=() if keep else tuple(names),
            starred=_starred(tree, source, cls.__module__),
            texts=texts,
        ),
    )
    tree.write(source, done.source)
    tree.write(target, done.target)
    return done


def _starred(tree: Tree, source: Path, module: str) -> dict[str, str]:
    """The names that `import *` brings to a module, each with where it comes from."""
    package = module if source.name == "__init__.py" else module.rpartition(".")[0]
    found: dict[str, str] = {}
    for node in ast.walk(tree.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            parts = package.split(".")
            base = parts[: len(parts) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            held = vars(sys.modules[origin]) if origin in sys.modules else {}
            names = held.get("__all__", [name for name in held if not name.startswith("_")])
            found.update(dict.fromkeys(names, origin))
    return found


def _taken(tree: Tree, move: Move, source: Path) -> frozenset[str]:
    """Names of the defining module that other files use: imported, as attributes, in strings."""
    found: set[str] = set()
    home = move.old_modules[0]
    last = home.rpartition(".")[2]
    dotted = re.compile(rf"\b(?:{'|'.join(map(re.escape, move.old_modules))})\.(\w+)")
    for path in (*tree.python(), *tree.migrations()):
        text = tree.read(path)
        if path == source:
            continue
        found.update(dotted.findall(text))
        if last not in text and move.old not in text:
            continue
        module = tree.module(path)
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        parsed = tree.parse(path)
        whole = starred = False
        for node in ast.walk(parsed):
            if isinstance(node, ast.ImportFrom):
                parts = package.split(".")
                base = parts[: len(parts) - node.level + 1] if node.level else []
                origin = ".".join([*base, *([node.module] if node.module else [])])
                if origin in move.old_modules:
                    found.update(alias.name for alias in node.names)
                    starred = starred or any(alias.name == "*" for alias in node.names)
                whole = whole or any(
                    f"{origin}.{alias.name}" in move.old_modules for alias in node.names
                )
            elif isinstance(node, ast.Import):
                whole = whole or any(alias.name in move.old_modules for alias in node.names)
        if whole or starred:
            found.update(
                node.attr if isinstance(node, ast.Attribute) else node.id
                for node in ast.walk(parsed)
                if isinstance(node, ast.Attribute) or (starred and isinstance(node, ast.Name))
            )
    exported = getattr(sys.modules[home], "__all__", ())
    return frozenset({*found, *exported})


def _offer(tree: Tree, package: Path, module: str, name: str) -> None:
    """Import the class where the target's package of models offers its classes."""
    import libcst as cst

    text = tree.read(package)
    parsed = cst.parse_module(text)
    line = f"from {module} import {name}"
    marked = f"{line}  # noqa: F401" if "__all__" not in text else line
    new = with_imports(parsed, [line]).code
    tree.write(package, new.replace(f"{line}\n", f"{marked}\n", 1) if new != text else text)


def _qualify_abstract(cls: Any, tree: Tree, move: Move) -> None:
    """Name the app in relations that the class inherits, whose targets are of the app it leaves."""
    for base in cls.__mro__[1:]:
        meta = getattr(base, "_meta", None)
        if meta is None or not meta.abstract:
            continue
        path = Path(str(sys.modules[base.__module__].__file__)).resolve()
        unqualified = _unqualified(tree, path, base.__name__) if tree.holds(path) else []
        if not unqualified:
            continue
        strangers = [
            child._meta.label
            for child in concrete(base)
            if child is not cls and child._meta.app_label != move.old
        ]
        if strangers:
            line, text = unqualified[0]
            raise CodemodError(
                f"{tree.shown(path)}:{line}: {base.__name__} refers to {text!r} without an app, "
                f"and {strangers[0]} inherits it too. Name the app there first."
            )
        lines = tree.read(path).splitlines(keepends=True)
        for line, text in unqualified:
            lines[line - 1] = re.sub(
                rf"""(["']){re.escape(text)}\1""", rf"\g<1>{move.old}.{text}\g<1>", lines[line - 1]
            )
        tree.write(path, "".join(lines))


def _unqualified(tree: Tree, path: Path, name: str) -> list[tuple[int, str]]:
    """(line, target) of the relations in a class that name a model without its app."""
    from monolift.codemods.names import RELATIONS

    found = []
    for node in ast.walk(tree.parse(path)):
        if not (isinstance(node, ast.ClassDef) and node.name == name):
            continue
        for call in ast.walk(node):
            if not isinstance(call, ast.Call):
                continue
            own = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if not own.endswith(RELATIONS):
                continue
            given = [*call.args[:1]]
            given += [word.value for word in call.keywords if word.arg in {"to", "through"}]
            for value in given:
                text = value.value if isinstance(value, ast.Constant) else None
                if isinstance(text, str) and "." not in text and text != "self":
                    found.append((value.lineno, text))
    return found
