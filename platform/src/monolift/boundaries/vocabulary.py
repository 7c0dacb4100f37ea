"""What points at which module: packages, app labels, URL names, templates, settings, tables.

It answers two questions: which module a string means, and whether a file can mean any module but
its own at all. The second one is asked of the bytes, so that most files are never parsed.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path

import msgspec

from monolift.boundaries.files import Files, SourceFile
from monolift.boundaries.imported_tests import may_import_a_test
from monolift.boundaries.permitted import CONTRACTS
from monolift.boundaries.project import Project

# One literal at the beginning makes a search four times as quick as a choice of two.
_QUOTED = re.compile(rb"'([A-Za-z][A-Za-z0-9]*)")
_DOUBLY_QUOTED = re.compile(rb'"([A-Za-z][A-Za-z0-9]*)')
_IMPORT = re.compile(rb"\b(?:from|import)[ \t]+([\w.]+)(?:[ \t]+(import))?")
_CLIMB = re.compile(rb"from[ \t]+(\.\.+)")
_RELATIVE = re.compile(rb"\bfrom[ \t]+\.")
_UPWARD = re.compile(rb"['\"]\.\.")
_SETTING = re.compile(rb"settings\.([A-Z][A-Z0-9]*)")
_ASKED_SETTING = re.compile(rb"settings,\s*['\"]([A-Z][A-Z0-9]*)")
_TEMPLATE = re.compile(rb"""['"]([\w./-]+\.\w+)['"]""")
_PLAIN_URL = re.compile(rb"""(?:reverse|reverse_lazy|redirect|resolve_url)\(\s*['"]([\w-]+)['"]""")
_TABLE = re.compile(
    rb"""\b(?:from|join|into|update|table|truncate|using)\s+[\\"'`\[]*(?:\w+\W{1,3})?([a-z]\w*)"""
)
_SQL = (b"select", b"insert into", b"update ", b"delete from", b"truncate", b" table ")
_DEFAULT_DATABASE = re.compile(
    rb"django\.db\b[^\n]*\b(?:transaction|connection|DEFAULT_DB_ALIAS)\b"
    rb"|django\.db\s+import\s*[(*\\]"
)
_DJANGO_AS = re.compile(rb"django(?:\.db)?[ \t]+as\b")
_ALIAS = (b'"default"', b"'default'")
_CHOOSING = (b"connections", b"using", b"db_manager")
_DJANGO_DB = re.compile(rb"from django import(?:[^\n]*\bdb\b|[ \t]*[(\\])")
_SEVERAL = re.compile(rb"^[ \t]*import[ \t]+([^\n]*,[^\n]*)", re.MULTILINE)
_FEW = 4
_DECLARED = re.compile(r"^([A-Z][A-Z0-9_]*)\b", re.MULTILINE)
_APP_NAME = re.compile(r"^app_name\s*(?::[^=]+)?=\s*['\"]([\w-]+)['\"]", re.MULTILINE)
_URL_NAME = re.compile(r"\bname\s*=\s*['\"]([\w-]+)['\"]")
_NAMESPACE = re.compile(r"\bnamespace\s*=\s*['\"]([\w-]+)['\"]")
FRAMEWORKS = frozenset(
    ("django", "ninja", "rest_framework", "celery", "redis", "psycopg", "psycopg2", "structlog",
     "requests", "httpx", "sqlalchemy")
)  # fmt: skip
"""Packages that a contract file must not import."""
_FRAMEWORKS = tuple(name.encode() for name in sorted(FRAMEWORKS))


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
    def _hints(self) -> "Hints":
        return Hints(self)

    def may_point_away(self, file: SourceFile, content: bytes) -> bool:
        """False when nothing in the file can mean another module or the default database."""
        return self._hints.found(file, content)

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
    """The words whose presence makes it worth parsing a file, each with the modules they mean."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._packages: dict[bytes, str] = {}
        self._own: defaultdict[str, list[bytes]] = defaultdict(list)
        self._parents: set[bytes] = set()
        self._words: defaultdict[bytes, set[str]] = defaultdict(set)
        self._apps: dict[bytes, str] = {}
        for module in vocabulary.project.modules:
            for package in module.packages:
                self._packages[package.encode()] = module.label
                self._own[module.label].append(package.encode())
                self._parents.add(package.rpartition(".")[0].encode())
                self._words[_first_word(package.partition(".")[0])].add(module.label)
            for app in module.app_labels:
                self._words[_first_word(app)].add(module.label)
                self._apps[app.encode().lower()] = module.label
        for space, owner in vocabulary.namespaces.items():
            self._words[_first_word(space)].add(owner)
        self._settings: defaultdict[bytes, set[str]] = defaultdict(set)
        for prefix, owner in vocabulary.settings.items():
            self._settings[prefix.partition("_")[0].encode()].add(owner)
        self._templates = {name.encode(): owner for name, owner in vocabulary.templates.items()}
        self._urls = {name.encode(): owner for name, owner in vocabulary.url_names.items()}
        self._endings = {b"." + name.rpartition(b".")[2] for name in self._templates}
        # What all modules lie in begins every path in a string: there the whole path decides.
        tops = {package.partition(b".")[0] for package in self._packages}
        self._shared = tops if len(tops) <= _FEW < len(self._packages) or len(tops) == 1 else set()
        # A literal beginning is what makes the search quick: one pattern for each.
        self._paths = [
            (top, re.compile(re.escape(top) + rb"((?:\.\w+)+|[ \t]+(?:import|as)\b)"))
            for top in sorted(self._shared)
        ]

    def found(self, file: SourceFile, content: bytes) -> bool:
        """Whether any of the words is there and means another module."""
        label = file.module
        return (
            (self._by_path(label, content) if self._shared else self._imports(label, content))
            or any(self._climbs(file, dots) for dots in _CLIMB.findall(content))
            or (b"import_module" in content and _UPWARD.search(content) is not None)
            or self._quoted(label, content)
            or _names_a_database(content)
            or b"GenericForeignKey" in content
            or may_import_a_test(content)
            or (file.part in CONTRACTS and self._impure(label, content))
            or (b"settings" in content and self._setting(label, content))
            or (
                any(ending in content for ending in self._endings)
                and _other(label, self._templates, _TEMPLATE, content)
            )
            or (bool(self._urls) and _other(label, self._urls, _PLAIN_URL, content))
            or self._tables(label, content)
        )

    def _by_path(self, label: str, content: bytes) -> bool:
        """Whether a path that begins as the modules' do leads into another one, in any place."""
        for top, pattern in self._paths:
            for rest in set(pattern.findall(content)):
                if not rest.startswith(b"."):
                    if top in self._parents:
                        return True
                elif self._foreign(label, top + rest) or top + rest in self._parents:
                    return True
        return False

    def _imports(self, label: str, content: bytes) -> bool:
        for name, names in set(_IMPORT.findall(content)):
            if (names and name in self._parents) or self._foreign(label, name):
                return True
        return any(
            self._foreign(label, name.strip().partition(b" ")[0])
            for line in _SEVERAL.findall(content)
            for name in line.split(b",")
        )

    def _foreign(self, label: str, name: bytes) -> bool:
        while name:
            if (owner := self._packages.get(name)) is not None:
                return owner != label
            name = name.rpartition(b".")[0]
        return False

    def _impure(self, label: str, content: bytes) -> bool:
        return (
            any(name in content for name in _FRAMEWORKS)
            or any(name in content for name in self._own[label])
            or _RELATIVE.search(content) is not None
        )

    def _climbs(self, file: SourceFile, dots: bytes) -> bool:
        return len(dots) > max(file.name.count(".") - file.package.count("."), 1)

    def _quoted(self, label: str, content: bytes) -> bool:
        words = {*_QUOTED.findall(content), *_DOUBLY_QUOTED.findall(content)} & self._words.keys()
        words -= self._shared
        return any(self._words[word] != {label} for word in words)

    def _setting(self, label: str, content: bytes) -> bool:
        asked = {*_SETTING.findall(content), *_ASKED_SETTING.findall(content)}
        words = {name.partition(b"_")[0] for name in asked} & self._settings.keys()
        return any(self._settings[word] != {label} for word in words)

    def _tables(self, label: str, content: bytes) -> bool:
        lower = content.lower()
        if not any(word in lower for word in _SQL):
            return False
        for table in set(_TABLE.findall(lower)):
            prefix = table.rpartition(b"_")[0]
            while prefix:
                if self._apps.get(prefix, label) != label:
                    return True
                prefix = prefix.rpartition(b"_")[0]
        return False


def read_vocabulary(project: Project, files: Files) -> Vocabulary:
    """Look through the modules' `urls.py` files and template folders."""
    namespaces: dict[str, str] = {}
    plain: defaultdict[str, set[str]] = defaultdict(set)
    for file in files.python:
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
        templates=_templates(files),
        settings=_settings(project),
    )


def _templates(files: Files) -> dict[str, str]:
    owners: dict[str, set[str]] = defaultdict(set)
    for name, file in files.templates:
        owners[name].add(file.module)
    return {name: min(found) for name, found in owners.items() if len(found) == 1}


def _settings(project: Project) -> dict[str, str]:
    """Labels in capitals, but for those that Django's own settings begin with."""
    prefixes: dict[str, str] = {}
    for module in project.modules:
        for label in (module.label, *module.app_labels):
            prefix = label.upper()
            if not is_djangos(prefix):
                prefixes.setdefault(prefix, module.label)
    return prefixes


def is_djangos(prefix: str, /) -> bool:
    """Whether settings of Django itself begin with it: `EMAIL`, since there is EMAIL_HOST."""
    return any(name == prefix or name.startswith(f"{prefix}_") for name in _global_settings())


@cache
def _global_settings() -> tuple[str, ...]:
    """The names of Django's own settings, from their text: an import would load much of Django."""
    found = find_spec("django")
    for folder in (found.submodule_search_locations or ()) if found else ():
        text = (Path(folder) / "conf" / "global_settings.py").read_text(encoding="utf-8")
        return tuple(_DECLARED.findall(text))
    return ()


def _first_word(name: str) -> bytes:
    """The beginning that `_QUOTED` sees of a string: letters and digits."""
    match = re.match(r"[A-Za-z][A-Za-z0-9]*", name)
    return match.group().encode() if match else b""


def _other(
    label: str, known: Mapping[bytes, str], pattern: re.Pattern[bytes], content: bytes
) -> bool:
    return any(known.get(word, label) != label for word in set(pattern.findall(content)))


def _names_a_database(content: bytes) -> bool:
    return (
        (b"django.db" in content and _DEFAULT_DATABASE.search(content) is not None)
        or (b"from django import" in content and _DJANGO_DB.search(content) is not None)
        or _DJANGO_AS.search(content) is not None
        or (
            b"default" in content
            and any(alias in content for alias in _ALIAS)
            and any(word in content for word in _CHOOSING)
        )
    )
