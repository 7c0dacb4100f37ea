"""The Python files and templates of a project's modules, in a fixed order."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from monolift.boundaries.project import Project, StaticModule

TESTS = frozenset(("tests", "test"))
"""Names of folders that hold tests."""
_NO_CODE = frozenset(("__pycache__", "node_modules", "static", "locale"))
NOT_READ = TESTS | _NO_CODE
"""Names of folders that hold no code of a module."""


class SourceFile(msgspec.Struct, frozen=True, order=True):
    """One file of a module."""

    path: str
    """Relative to the project's root, with forward slashes."""
    name: str
    """The dotted name that imports it."""
    module: str
    """Label of its module."""
    package: str
    """The package of the module it lies in."""
    stamp: tuple[int, int]
    """Time of its last change in nanoseconds, and size: another stamp, another content."""

    @property
    def part(self) -> str:
        """The file or folder directly inside the package: `services`; empty for the package."""
        return self.name.removeprefix(self.package).lstrip(".").partition(".")[0]


def is_test(name: str) -> bool:
    """Whether a file is called as tests are, which may look into every module."""
    return name.startswith("test_") or name in ("tests.py", "conftest.py") or "_test.py" in name


class Files(msgspec.Struct, frozen=True):
    """The files of a project's modules, but for what the project excludes."""

    python: list[SourceFile]
    tests: list[SourceFile]
    """Python files that by their names, or their folders', are tests: not code of the module as
    long as none of it imports them."""
    templates: list[tuple[str, SourceFile]]
    """The files in `templates/` folders, each with the name that Django knows it by."""


def scan(project: Project) -> Files:
    """Look through the modules' folders, once."""
    python: set[SourceFile] = set()
    tests: set[SourceFile] = set()
    templates: set[tuple[str, SourceFile]] = set()
    for file, tries in _found(project):
        if file.path.endswith(".py"):
            (tests if tries else python).add(file)
        else:
            _, found, name = file.path.partition("/templates/")
            if found:
                templates.add((name, file))
    return Files(sorted(python), sorted(tests), sorted(templates))


def own_packages(project: Project) -> list[str]:
    """The top packages of the modules, and the packages beside them."""
    found = set(project.top_packages)
    for root in project.roots:
        found |= {
            file.parent.name
            for file in root.glob("*/__init__.py")
            if file.parent.name.isidentifier() and file.parent.name not in NOT_READ
        }
    return sorted(found)


def own_files(project: Project) -> Iterator[tuple[str, int, int]]:
    """(path, time, size) of every Python file of the project's packages outside the modules."""
    inside = {str(folder) for module in project.modules for folder in module.folders}
    for package in own_packages(project):
        for root in project.roots:
            top = root / package
            pending = [str(top)] if top.is_dir() and str(top) not in inside else []
            while pending:
                with os.scandir(pending.pop()) as entries:
                    for entry in sorted(entries, key=lambda entry: entry.name):
                        if entry.is_dir():
                            if (
                                entry.path not in inside
                                and entry.name != "__pycache__"
                                and not entry.name.startswith(".")
                            ):
                                pending.append(entry.path)
                        elif entry.name.endswith(".py") and entry.is_file():
                            state = entry.stat()
                            yield entry.path, state.st_mtime_ns, state.st_size


def _found(project: Project) -> Iterator[tuple[SourceFile, bool]]:
    """The files, and which of them are tests."""
    excluded = tuple(str(project.root / folder) for folder in project.exclude)
    for module in project.modules:
        for package, folder in zip(module.packages, module.folders, strict=True):
            yield from _below(project, module, package, folder, excluded)


def _below(
    project: Project, module: StaticModule, package: str, folder: Path, excluded: tuple[str, ...]
) -> Iterator[tuple[SourceFile, bool]]:
    root = f"{project.root}{os.sep}"
    pending = [(str(folder), package, False)]
    while pending:
        current, name, tries = pending.pop()
        if current in excluded or project.package_at(name) != package:
            continue  # a module inside a module: its own turn comes
        templates = ".templates" in name.removeprefix(package) and not tries
        with os.scandir(current) as entries:
            for entry in entries:
                if entry.is_dir():
                    if entry.name not in _NO_CODE and not entry.name.startswith("."):
                        inside = tries or entry.name in TESTS
                        pending.append((entry.path, f"{name}.{entry.name}", inside))
                elif not entry.is_file():
                    continue  # a link to nothing, as editors leave beside a file they hold
                elif templates:
                    yield _file(entry, root, name, module.label, package), False
                elif entry.name.endswith(".py"):
                    file = _file(entry, root, name, module.label, package)
                    yield file, tries or is_test(entry.name)


def _file(entry: "os.DirEntry[str]", root: str, name: str, label: str, package: str) -> SourceFile:
    stem = entry.name.removesuffix(".py")
    state = entry.stat()
    return SourceFile(
        entry.path.removeprefix(root).replace(os.sep, "/"),
        name if stem == "__init__" else f"{name}.{stem}",
        label,
        package,
        (state.st_mtime_ns, state.st_size),
    )
