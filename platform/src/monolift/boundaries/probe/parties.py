"""Which installed apps are the project's own, and which of them make one module."""

import tomllib
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monolift.boundaries.first_party import is_first_party
from monolift.boundaries.probe.errors import ProbeError
from monolift.boundaries.project import Project, StaticModule

if TYPE_CHECKING:
    from django.apps import AppConfig

_HOW = 'Write: [groups], and below it `sales = ["shop.orders", "shop.basket"]`.'


def read_groups(file: Path) -> dict[str, list[str]]:
    """The table `[groups]` of a TOML file. Raises ProbeError."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ProbeError(f"{file} does not exist. {_HOW}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ProbeError(f"{file} cannot be read: {error}. {_HOW}") from None
    groups = document.get("groups")
    if not isinstance(groups, dict) or not groups:
        raise ProbeError(f"{file} has no groups. {_HOW}")
    for label, names in groups.items():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ProbeError(f"{file}: the group {label} is no list of apps. {_HOW}")
    return groups


def make_project(
    *,
    root: Path,
    settings: str,
    only: Sequence[str] = (),
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    groups: Mapping[str, Sequence[str]] | None = None,
) -> Project:
    """The project's own apps as modules, one each or grouped. Raises ProbeError."""
    from django.apps import apps

    installed = list(apps.get_app_configs())
    own = [
        config
        for config in installed
        if is_first_party(Path(config.path), root) or any(_named(config, name) for name in include)
    ]
    for name in include:
        if not any(_named(config, name) for config in installed):
            raise ProbeError(f"--include {name}: no installed app is called that.")
    if only:
        own = _chosen(own, only, "--apps")
    if not own:
        raise ProbeError(
            f"No installed app of {settings} has its files in {root}. Run monolift probe in the "
            "project's folder, or name installed packages with --include."
        )
    made: list[StaticModule] = []
    for label, names in (groups or {}).items():
        members = _chosen(own, names, f"group {label}")
        own = [config for config in own if config not in members]
        made.append(_module(label, members))
    made += [_module(config.label, [config]) for config in own]
    return Project(
        root=_root(root, made),
        roots=(root,),
        modules=tuple(sorted(made, key=lambda module: module.label)),
        exclude=tuple(exclude),
        settings=settings,
    )


def _named(config: "AppConfig", name: str) -> bool:
    if "*" in name:
        return fnmatchcase(config.name, name)
    return config.name == name or config.name.startswith(f"{name}.") or config.label == name


def _chosen(own: list["AppConfig"], names: Sequence[str], whose: str) -> list["AppConfig"]:
    chosen: list[AppConfig] = []
    for name in names:
        exact = [config for config in own if name in (config.name, config.label)]
        found = exact or [config for config in own if _named(config, name)]
        if not found:
            known = ", ".join(sorted(config.label for config in own))
            raise ProbeError(f"{whose}: there is no app {name!r} left. There are: {known}.")
        chosen += [config for config in found if config not in chosen]
    return chosen


def _module(label: str, configs: Sequence["AppConfig"]) -> StaticModule:
    return StaticModule(
        label=label,
        packages=tuple(config.name for config in configs),
        folders=tuple(Path(config.path).resolve() for config in configs),
        app_labels=tuple(config.label for config in configs),
        owner=next((str(_owner(config)) for config in configs if _owner(config)), ""),
        house=all(_is_ours(config) for config in configs),
    )


def _owner(config: Any) -> object:
    return getattr(config, "owner", "")


def _is_ours(config: "AppConfig") -> bool:
    return any(base.__module__.startswith("monolift.") for base in type(config).__mro__)


def _root(root: Path, modules: Sequence[StaticModule]) -> Path:
    """Where paths are shown from: the project, or where all its included packages are installed."""
    folders = [folder for module in modules for folder in module.folders]
    if any(folder.is_relative_to(root) for folder in folders):
        return root
    packages = [package for module in modules for package in module.packages]
    return folders[0].parents[packages[0].count(".")]
