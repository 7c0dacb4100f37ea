"""The modules of a project as its files tell them, without Django and without its settings.

`pyproject.toml` names them:

    [tool.monolift]
    modules = ["modules.*"]            # each folder in modules/ is one

    [tool.monolift.groups]             # or: several apps are one module
    sales = ["shop.orders", "shop.basket"]

    [tool.monolift.owners]             # where no AppConfig says `owner = "..."`
    sales = "team-sales"
"""

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

_KEYS = frozenset(
    (
        "against",
        "baseline",
        "bff",
        "codeowners",
        "exclude",
        "groups",
        "modules",
        "owners",
        "service",
        "settings",
    )
)
_CLASS = re.compile(r"^class\b", re.MULTILINE)
_ASSIGNED = re.compile(
    r"""^[ \t]+(name|label|owner)[ \t]*(?::[^=\n]+)?=[ \t]*["']([\w.-]+)["']""", re.MULTILINE
)
_NO_CODE = frozenset(("locale", "static", "templates", "tests", "__pycache__", "node_modules"))
_HOW = (
    'Write `modules = ["modules.*"]` (a folder of modules) or `["orders", "billing"]` under '
    "[tool.monolift] in pyproject.toml."
)


class ProjectError(Exception):
    """The project's modules cannot be read; the message names the file and the way out."""


class StaticModule(msgspec.Struct, frozen=True, kw_only=True):
    """A module as its files show it."""

    label: str
    packages: tuple[str, ...]
    """Dotted names of its packages; one, unless it is a group of apps."""
    folders: tuple[Path, ...]
    """The folders of its packages, absolute, in the same order."""
    app_labels: tuple[str, ...]
    """Labels of the Django apps inside."""
    owner: str
    """The team that owns it; empty when nobody says."""
    house: bool
    """It follows the house style: an `interface.py`, or such a folder, says what it offers."""


class Project(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A project's modules and the settings of its guards."""

    root: Path
    """The folder of `pyproject.toml`, absolute."""
    roots: tuple[Path, ...]
    """The folders its packages lie in: the root, or `src` in it."""
    modules: tuple[StaticModule, ...]
    bff: frozenset[str] = frozenset()
    """Labels of modules that put pages together: they may use templates and URLs of others."""
    against: Mapping[str, Mapping[str, str]] = msgspec.field(default_factory=dict)
    """Subscriptions against the order of calls: subscriber, publisher, reason."""
    exclude: tuple[str, ...] = ()
    """Folders, relative to the root, whose files are not read."""
    baseline: str = "monolift-baseline.json"
    """File of the accepted violations, relative to the root."""
    settings: str = ""
    """Django's settings module; empty when only manage.py knows."""

    @cached_property
    def _by_package(self) -> dict[str, StaticModule]:
        return {package: module for module in self.modules for package in module.packages}

    @cached_property
    def by_label(self) -> dict[str, StaticModule]:
        """The modules by their own label and by the labels of their apps."""
        named = {label: module for module in self.modules for label in module.app_labels}
        return named | {module.label: module for module in self.modules}

    def module_at(self, name: str) -> StaticModule | None:
        """The module that a dotted name lies in; None for anything else."""
        known = self._by_package
        while name:
            if found := known.get(name):
                return found
            name = name.rpartition(".")[0]
        return None

    def package_at(self, name: str) -> str:
        """The package of a module that a dotted name lies in; empty for anything else."""
        known = self._by_package
        while name and name not in known:
            name = name.rpartition(".")[0]
        return name

    def package_above(self, name: str) -> bool:
        """Whether packages of modules lie below a dotted name: it is only their folder."""
        return any(package.startswith(f"{name}.") for package in self._by_package)

    @cached_property
    def top_packages(self) -> tuple[str, ...]:
        """The first parts of the modules' names, each once."""
        return tuple(sorted({package.partition(".")[0] for package in self._by_package}))

    def shown(self, path: Path) -> str:
        """A path relative to the root, with forward slashes."""
        return (path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix()


def find_root(start: Path | None = None) -> Path:
    """The nearest folder upward that holds a `pyproject.toml`.

    Raises ProjectError when there is none.
    """
    here = (start or Path()).resolve()
    for folder in (here, *here.parents):
        if (folder / "pyproject.toml").is_file():
            return folder
    raise ProjectError(f"There is no pyproject.toml in {here} or above it. {_HOW}")


def read_project(*, root: Path) -> Project:
    """Read the modules of the project at `root`. Raises ProjectError."""
    root = root.resolve()
    table = _table(root / "pyproject.toml")
    roots = tuple(folder for folder in (root, root / "src") if folder.is_dir())
    found = [
        _module(package.rpartition(".")[2], {package: folder}, table)
        for pattern in _strings(table, "modules")
        for package, folder in _matching(pattern, roots)
    ]
    for label, packages in _mapping(table, "groups").items():
        if not isinstance(packages, list) or not packages:
            raise ProjectError(
                f"pyproject.toml: [tool.monolift.groups] {label} is no list of packages. "
                f'Write `{label} = ["shop.orders", "shop.basket"]`.'
            )
        folders = dict(place for name in packages for place in _matching(str(name), roots))
        found = [module for module in found if not folders.keys() & set(module.packages)]
        found.append(_module(label, folders, table))
    if not found:
        raise ProjectError(f"{root / 'pyproject.toml'} names no modules. {_HOW}")
    _refuse_twins(found)
    project = Project(
        root=root,
        roots=roots,
        modules=tuple(sorted(found, key=lambda module: module.label)),
        bff=frozenset(_strings(table, "bff")),
        against=_mapping(table, "against"),
        exclude=tuple(_strings(table, "exclude")),
        baseline=str(table.get("baseline", "monolift-baseline.json")),
        settings=str(table.get("settings", "")),
    )
    for key in ("bff", "against", "owners"):
        _refuse_unknown(project, key, table.get(key, ()))
    return project


def _table(file: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ProjectError(f"{file} does not exist. {_HOW}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ProjectError(f"{file} cannot be read: {error}.") from None
    table = document.get("tool", {}).get("monolift", {})
    if unknown := sorted(table.keys() - _KEYS):
        raise ProjectError(
            f"{file}: [tool.monolift] has no key {unknown[0]!r}. "
            f"It has: {', '.join(sorted(_KEYS))}."
        )
    return dict(table)


def _strings(table: Mapping[str, Any], key: str) -> list[str]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ProjectError(f"pyproject.toml: {key} under [tool.monolift] is no list of strings.")
    return value


def _mapping(table: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise ProjectError(f"pyproject.toml: [tool.monolift.{key}] is no table.")
    return value


def _matching(pattern: str, roots: Iterable[Path]) -> list[tuple[str, Path]]:
    """The packages that a pattern names, with their folders, in the order of their names."""
    stem, star, rest = pattern.partition("*")
    if star and (rest or not (stem.endswith(".") or not stem)):
        raise ProjectError(
            f"pyproject.toml: {pattern!r} is no pattern of modules. A `*` stands for one folder at "
            'the end: "modules.*".'
        )
    name = stem.rstrip(".")
    for root in roots:
        folder = root.joinpath(*name.split(".")) if name else root
        if not folder.is_dir():
            continue
        if not star:
            return [(name, folder)]
        below = sorted(child for child in folder.iterdir() if _is_package(child))
        return [(f"{name}.{child.name}" if name else child.name, child) for child in below]
    raise ProjectError(f"pyproject.toml: {pattern!r} under [tool.monolift] names no folder. {_HOW}")


def _is_package(folder: Path) -> bool:
    return folder.name.isidentifier() and any(
        (folder / name).is_file() for name in ("__init__.py", "apps.py", "models.py")
    )


def _module(label: str, places: Mapping[str, Path], table: Mapping[str, Any]) -> StaticModule:
    apps: list[str] = []
    owner = str(_mapping(table, "owners").get(label, ""))
    for package, folder in places.items():
        files = _apps_files(folder)
        configured = list(_configured(package, folder, files))
        apps += [name for name, _ in configured]
        if folder / "apps.py" not in files:
            apps.append(package.rpartition(".")[2])
        owner = owner or next((who for _, who in configured if who), "")
    return StaticModule(
        label=label,
        packages=tuple(places),
        folders=tuple(places.values()),
        app_labels=tuple(dict.fromkeys(apps)),
        owner=owner,
        house=any(
            (folder / file).is_file()
            for folder in places.values()
            for file in ("interface.py", "interface/__init__.py")
        ),
    )


def _apps_files(folder: Path) -> list[Path]:
    """The `apps.py` of a package and of the packages below it."""
    found = []
    for current, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name.isidentifier() and name not in _NO_CODE]
        if "apps.py" in names:
            found.append(Path(current) / "apps.py")
    return sorted(found)


def _configured(package: str, folder: Path, files: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """(label, owner) of each AppConfig in the `apps.py` files below a package's folder."""
    for file in files:
        relative = file.parent.relative_to(folder)
        default = relative.name or package.rpartition(".")[2]
        seen = False
        # Not parsed: a project has hundreds of these, and they say little.
        text = file.read_text(encoding="utf-8", errors="replace")
        for body in _CLASS.split(text)[1:]:
            values = dict(reversed(_ASSIGNED.findall(body)))
            if values:
                seen = True
                label = values.get("label") or values.get("name", "").rpartition(".")[2] or default
                yield label, values.get("owner", "")
        if not seen:
            yield default, ""


def _refuse_twins(modules: Iterable[StaticModule]) -> None:
    seen: dict[str, StaticModule] = {}
    for module in modules:
        if twin := seen.get(module.label):
            raise ProjectError(
                f"pyproject.toml: two modules are called {module.label!r}: {twin.packages[0]} and "
                f"{module.packages[0]}. Name one of them under [tool.monolift.groups]."
            )
        seen[module.label] = module


def _refuse_unknown(project: Project, key: str, labels: Iterable[str]) -> None:
    for label in labels:
        if label not in project.by_label:
            known = ", ".join(module.label for module in project.modules)
            raise ProjectError(
                f"pyproject.toml: {key} under [tool.monolift] names {label!r}, which is no module. "
                f"There are: {known}."
            )
