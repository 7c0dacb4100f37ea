"""Plans a new module: every file it brings and every file of the project that has to know it."""

import ast
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from monolift.boundaries.project import Project, ProjectError, read_project
from monolift.codemods.tree import Tree
from monolift.scaffold.errors import ScaffoldError
from monolift.scaffold.installed import install
from monolift.scaffold.layers import place
from monolift.scaffold.listed import list_module
from monolift.scaffold.module_files import module_files, test_file
from monolift.scaffold.names import check_name, check_owner

NEEDED = ("monolift", "monolift.db")


class Wanted(NamedTuple):
    """What the command line asks for."""

    name: str
    owner: str
    inside: str | None
    """The package to put it into; None: where the project's modules are."""
    above: str | None
    below: str | None
    settings: str
    """The settings module; empty to leave the settings alone."""


def plan(tree: Tree, wanted: Wanted) -> str:
    """Put the module into the tree; its dotted name. Raises ScaffoldError, and writes nothing."""
    root = tree.root
    check_owner(wanted.owner)
    siblings, labels = _siblings(root, wanted.settings)
    folder = _folder(root, siblings) if wanted.inside is None else wanted.inside
    package = f"{folder}.{wanted.name}" if folder else wanted.name
    apps = _apps(root, wanted.settings) if wanted.settings else []
    check_name(wanted.name, package=package, labels=labels, apps=apps)
    if wanted.above and wanted.below:
        raise ScaffoldError("A module has one place: say --above or --below, not both.")
    base = root.joinpath(*folder.split(".")) if folder else root
    if not base.is_dir():
        raise ScaffoldError(f"There is no folder {tree.shown(base)}. --in names a package.")
    home = base / wanted.name
    if home.exists():
        raise ScaffoldError(f"{tree.shown(home)} is there already. Choose another name.")
    for path, text in module_files(name=wanted.name, package=package, owner=wanted.owner).items():
        tree.write(home / path, text)
    _tests(tree, home, wanted.name, package)
    if wanted.settings:
        settings = _settings_file(root, wanted.settings)
        source = tree.read(settings)
        tree.write(settings, install(source, package=package, siblings=siblings, needed=NEEDED))
    listed = root / "pyproject.toml"
    if listed.is_file():
        tree.write(listed, list_module(tree.read(listed), package=package))
    layers = root / ".importlinter"
    if layers.is_file():
        text = place(
            layers.read_text(encoding="utf-8"),
            name=wanted.name,
            folder=folder,
            above=wanted.above,
            below=wanted.below,
        )
        tree.write(layers, text)
    elif wanted.above or wanted.below:
        raise ScaffoldError("There is no .importlinter with an order of calls to place it in.")
    return package


def _siblings(root: Path, settings: str) -> tuple[list[str], list[str]]:
    """The project's own apps by dotted name, and the labels that are taken."""
    project = _project(root)
    if project is not None:
        packages = [package for module in project.modules for package in module.packages]
        return packages, list(project.by_label)
    if not settings:
        return [], []
    apps = _apps(root, settings)
    own = [
        name.partition(".apps.")[0]
        for name in apps
        if root.joinpath(*name.partition(".apps.")[0].split(".")).is_dir()
    ]
    return own, [name.rpartition(".")[2] for name in own]


def _apps(root: Path, settings: str) -> list[str]:
    return _strings_of(_settings_file(root, settings), "INSTALLED_APPS")


def _project(root: Path) -> Project | None:
    try:
        text = (root / "pyproject.toml").read_text(encoding="utf-8")
    except OSError:
        return None
    try:
        configured = tomllib.loads(text).get("tool", {}).get("monolift", {})
        return read_project(root=root) if configured.get("modules") else None
    except tomllib.TOMLDecodeError as error:
        raise ScaffoldError(f"pyproject.toml cannot be read: {error}.") from None
    except ProjectError as error:
        raise ScaffoldError(str(error)) from None


def _folder(root: Path, siblings: Sequence[str]) -> str:
    """The package that the modules are in, when it is one; else the project's own folder."""
    folders = {package.rpartition(".")[0] for package in siblings}
    if len(folders) == 1:
        return folders.pop()
    return "modules" if not siblings and (root / "modules").is_dir() else ""


def _settings_file(root: Path, settings: str) -> Path:
    """The file in which the settings list the apps."""
    path = root.joinpath(*settings.split("."))
    first = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not first.is_file():
        raise ScaffoldError(
            f"The settings {settings!r} have no file {first.relative_to(root)}. Say --settings."
        )
    for file in (first, *sorted(first.parent.glob("*.py"))):
        text = file.read_text(encoding="utf-8")
        if "INSTALLED_APPS" in text and any(
            isinstance(node, ast.Assign | ast.AnnAssign) and "INSTALLED_APPS" in ast.unparse(node)
            for node in _parsed(file, text).body
        ):
            return file
    raise ScaffoldError(f"{first.relative_to(root)} does not set INSTALLED_APPS. Say --settings.")


def _strings_of(file: Path, name: str) -> list[str]:
    for node in _parsed(file, file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return [
                element.value
                for element in ast.walk(node.value)
                if isinstance(element, ast.Constant) and isinstance(element.value, str)
            ]
    return []


def _parsed(file: Path, text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise ScaffoldError(f"{file}:{error.lineno}: {error.msg}. Correct it first.") from None


def _tests(tree: Tree, home: Path, name: str, package: str) -> None:
    together = tree.root / "tests" / "modules"
    folder = together / name if together.is_dir() else home / "tests"
    if folder.exists():
        raise ScaffoldError(f"{tree.shown(folder)} is there already. Choose another name.")
    library = (tree.root / "platform" / "src" / "monolift").is_dir()
    tree.write(folder / "__init__.py", "")
    tree.write(
        folder / f"test_{name}.py", test_file(name=name, package=package, library_is_own=library)
    )
