"""What points at which module: packages, app labels, URL names, templates, settings, tables.

It answers two questions: which module a string means, and whether a file can mean any module but
its own at all. The second one is asked of the bytes, so that most files are never parsed.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property

import msgspec

from monolift.boundaries.files import SourceFile, python_files, template_files
from monolift.boundaries.project import Project

_QUOTED = re.compile(rb"""['"]([A-Za-z][A-Za-z0-9]*)""")
_DOTTED = re.compile(rb"\b(?:from|import)[ \t]+([\w.]+)(?:[ \t]+import[ \t]+([\w, \t(]+))?")
_SETTING = re.compile(rb"\bsettings\b[^\n]*?\b([A-Z][A-Z0-9]+)")
_TEMPLATE = re.compile(rb"""['"]([\w./-]+\.\w+)['"]""")
_PLAIN_URL = re.compile(rb"""(?:reverse|reverse_lazy|redirect|resolve_url)\(\s*['"]([\w-]+)['"]""")
_TABLE = re.compile(
    rb"""(?i)\b(?:FROM|JOIN|INTO|UPDATE|TABLE|TRUNCATE|USING)\s+[\\"'`\[]*(?:\w+\W{1,3})?([a-z]\w*)"""
)
_DEFAULT_DATABASE = re.compile(
    rb"django\.db\b[^\n]*\b(?:transaction|connection|DEFAULT_DB_ALIAS)\b|import \(|"
    rb"connections\[\s*['\"]|from django import"
)
_APP_NAME = re.compile(r"^app_name\s*(?::[^=]+)?=\s*['\"]([\w-]+)['\"]", re.MULTILINE)
_URL_NAME = re.compile(r"\bname\s*=\s*['\"]([\w-]+)['\"]")
_NAMESPACE = re.compile(r"\bnamespace\s*=\s*['\"]([\w-]+)['\"]")
_CONTRACTS = ("interface", "events")


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Names of a project, each with the label of the module it belongs to."""

    project: Project
    namespaces: Mapping[str, str]
    """URL namespaces (`app_name`)."""
    url_names: Mapping[str, str]
    """Names of URLs without a namespace that only one module defines."""
    templates: Mapping[str, str]
    settings: Mapping[str, str]
    """Beginnings of settings: `INVENTORY` for INVENTORY_PAGE_SIZE."""

    @cached_property
    def _hints(self) -> dict[str, "Hints"]:
        return {module.label: Hints(self, module.label) for module in self.project.modules}

    def may_point_away(self, file: SourceFile, content: bytes) -> bool:
        """False when nothing in the file can mean another module or the default database."""
        return self._hints[file.module].found(file, content)

    def module_of_label(self, label: str) -> str:
        """The module that has an app of this label; empty when none has."""
        module = self.project.by_label.get(label)
        return module.label if module else ""

    def module_of_setting(self, name: str) -> str:
        """The module whose name a setting begins with; empty when there is none."""
        parts = name.split("_")
        for count in range(len(parts), 0, -1):
            if found := self.settings.get("_".join(parts[:count])):
                return found
        return ""

    def module_of_table(self, table: str) -> str:
        """The module whose app label a table's name begins with; empty when there is none."""
        parts = table.lower().split("_")
        for count in range(len(parts) - 1, 0, -1):
            if found := self.module_of_label("_".join(parts[:count])):
                return found
        return ""

    def module_of_url(self, name: str) -> str:
        """The module that a URL's name belongs to; empty when that is not sure."""
        space, colon, _ = name.partition(":")
        return self.namespaces.get(space, "") if colon else self.url_names.get(name, "")


class Hints:
    """The words whose presence makes it worth parsing a file of one module."""

    def __init__(self, vocabulary: Vocabulary, label: str) -> None:
        project = vocabulary.project
        own = project.by_label[label]
        others = [module for module in project.modules if module.label != label]
        self._own = tuple(package.encode() for package in own.packages)
        self._packages = {name.encode() for module in others for name in module.packages}
        self._parents = {name.rpartition(b".")[0]: True for name in self._packages}
        words = [app for module in others for app in module.app_labels]
        words += [space for space, owner in vocabulary.namespaces.items() if owner != label]
        words += [name.decode().partition(".")[0] for name in self._packages]
        mine = {name.partition(".")[0] for name in own.packages}
        self._words = {_first_word(word) for word in words} - {_first_word(word) for word in mine}
        self._shared = bool(mine & {name.decode().partition(".")[0] for name in self._packages})
        self._settings = _others(vocabulary.settings, label, first=True)
        self._templates = _others(vocabulary.templates, label)
        self._urls = _others(vocabulary.url_names, label)
        self._apps = {app.encode().lower() for module in others for app in module.app_labels}

    def found(self, file: SourceFile, content: bytes) -> bool:
        """Whether any of the words is there."""
        return (
            file.part in _CONTRACTS
            or self._imports(file, content)
            or not self._words.isdisjoint(_QUOTED.findall(content))
            or (self._shared and self._names_a_package(content))
            or (b"django" in content and _DEFAULT_DATABASE.search(content) is not None)
            or b"GenericForeignKey" in content
            or (b"settings" in content and not self._settings.isdisjoint(_SETTING.findall(content)))
            or not self._templates.isdisjoint(_TEMPLATE.findall(content))
            or (bool(self._urls) and not self._urls.isdisjoint(_PLAIN_URL.findall(content)))
            or self._tables(content)
        )

    def _imports(self, file: SourceFile, content: bytes) -> bool:
        for name, names in _DOTTED.findall(content):
            if name.startswith(b"."):
                if self._climbs(file, name):
                    return True
            elif name in self._parents or (names and self._foreign(name)) or self._foreign(name):
                return True
        return b"import " in content and _several(content, self._packages)

    def _foreign(self, name: bytes) -> bool:
        while name:
            if name in self._own:
                return False
            if name in self._packages:
                return True
            name = name.rpartition(b".")[0]
        return False

    def _climbs(self, file: SourceFile, name: bytes) -> bool:
        depth = file.name.count(".") - file.package.count(".")
        return len(name) - len(name.lstrip(b".")) > max(depth, 1)

    def _names_a_package(self, content: bytes) -> bool:
        return any(
            self._foreign(name)
            for name in re.findall(rb"""['"]([A-Za-z_]\w*(?:\.\w+)+)""", content)
        )

    def _tables(self, content: bytes) -> bool:
        return any(
            table.lower().startswith(tuple(app + b"_" for app in self._apps))
            for table in set(_TABLE.findall(content))
        )


def read_vocabulary(project: Project) -> Vocabulary:
    """Look through the modules' `urls.py` files and template folders."""
    namespaces: dict[str, str] = {}
    plain: defaultdict[str, set[str]] = defaultdict(set)
    for file in python_files(project):
        if file.part == "urls" or file.name.endswith(".urls"):
            text = (project.root / file.path).read_text(encoding="utf-8", errors="replace")
            spaces = _APP_NAME.findall(text)
            for space in (*spaces, *_NAMESPACE.findall(text)):
                namespaces.setdefault(space, file.module)
            if not spaces:
                for name in _URL_NAME.findall(text):
                    plain[name].add(file.module)
    return Vocabulary(
        project=project,
        namespaces=namespaces,
        url_names={name: min(owners) for name, owners in plain.items() if len(owners) == 1},
        templates=_templates(project),
        settings=_settings(project),
    )


def _templates(project: Project) -> dict[str, str]:
    owners: dict[str, set[str]] = defaultdict(set)
    for name, file in template_files(project):
        owners[name].add(file.module)
    return {name: min(found) for name, found in owners.items() if len(found) == 1}


def _settings(project: Project) -> dict[str, str]:
    """Labels in capitals, but for those that Django's own settings begin with."""
    from django.conf import global_settings

    taken = [name for name in dir(global_settings) if name.isupper()]
    prefixes: dict[str, str] = {}
    for module in project.modules:
        for label in (module.label, *module.app_labels):
            prefix = label.upper()
            if not any(name == prefix or name.startswith(f"{prefix}_") for name in taken):
                prefixes.setdefault(prefix, module.label)
    return prefixes


def _first_word(name: str) -> bytes:
    """The beginning that `_QUOTED` sees of a string: letters and digits."""
    match = re.match(r"[A-Za-z][A-Za-z0-9]*", name)
    return match.group().encode() if match else b""


def _others(names: Mapping[str, str], label: str, *, first: bool = False) -> set[bytes]:
    found: Iterable[str] = (name for name, owner in names.items() if owner != label)
    return {(name.partition("_")[0] if first else name).encode() for name in found}


def _several(content: bytes, packages: set[bytes]) -> bool:
    """`import a, b`: the names after the first comma."""
    for line in re.findall(rb"^[ \t]*import[ \t]+([^\n]*,[^\n]*)", content, re.MULTILINE):
        for name in line.split(b","):
            dotted = name.strip().partition(b" ")[0]
            while dotted:
                if dotted in packages:
                    return True
                dotted = dotted.rpartition(b".")[0]
    return False
