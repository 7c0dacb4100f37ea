"""Which files a module takes along, and what they say there."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from django.apps import apps
from django.conf import settings

from monolift.boundaries.vocabulary import is_djangos
from monolift.events.subscriptions import all_subscriptions
from monolift.lift.service.eject.contracts import PARTS, handlers_elsewhere
from monolift.lift.service.eject.pruning import Absent, pruned
from monolift.lift.service.eject.source import Source, imports, parsed, strings
from monolift.lift.service.errors import ServiceError
from monolift.registry.modules import Module, modules

GENERATED_SETTINGS = "tests.settings"


@dataclass(kw_only=True)
class Plan:
    """What a repository of its own is made of."""

    module: Module
    source: Source
    tests: Path
    """The folder of its tests."""
    copies: set[Path] = field(default_factory=set)
    """Files that are the same there."""
    texts: dict[Path, str] = field(default_factory=dict)
    """Files that say something else there."""
    contracts: set[str] = field(default_factory=set)
    """The labels of the modules whose contracts it takes along."""
    left_tests: dict[Path, str] = field(default_factory=dict)
    """Tests that need what stays behind, and what that is."""

    @property
    def files(self) -> set[Path]:
        """All of them."""
        return self.copies | self.texts.keys()


def plan(*, module: str, root: Path, tests: str) -> Plan:
    """What goes along with a module. Raises ServiceError when it cannot be alone.

    `tests` is where its tests are, relative to the root.
    """
    source = Source(root)
    label = module
    chosen = modules()[label]
    if not Path(chosen.path).is_relative_to(root):
        raise ServiceError(f"{label} is not in {root}, but in {chosen.path}: it has its own home.")
    if not chosen.provides:
        raise ServiceError(
            f"{label} provides no interface, so no other deployable could reach it. It stays at "
            "the edge."
        )
    made = Plan(module=chosen, source=source, tests=Path(tests))
    # A contract that is met late changes what is absent, and with it what is pruned.
    while True:
        before = len(made.contracts)
        made.copies.clear()
        made.texts.clear()
        made.left_tests.clear()
        _Following(made).all()
        if len(made.contracts) == before:
            return made


class _Following:
    """Follows what files name, from the module and the project's settings on."""

    def __init__(self, made: Plan) -> None:
        self._plan = made
        self._source = made.source
        self._label = made.module.label
        self._packages = {label: module.name for label, module in modules().items()}
        self._own = Path(*made.module.name.split("."))
        self._absent = Absent(
            name=self._is_absent,
            labels={*self._packages} - {self._label, *made.contracts},
            settings={
                name.upper()
                for name in self._packages
                if name != self._label and not is_djangos(name.upper())
            },
            known=self._packages.keys(),
        )

    def all(self) -> None:
        """Everything."""
        for path in self._source.below(self._own):
            self._take(path)
        roots = [settings.SETTINGS_MODULE, settings.ROOT_URLCONF]
        roots.append(str(getattr(settings, "WSGI_APPLICATION", None) or "").rpartition(".")[0])
        for dotted in roots:
            if (found := self._source.file(dotted)) is not None:
                self._take(found)
        if (self._source.root / "manage.py").is_file():
            self._take(Path("manage.py"))
        for app in apps.get_app_configs():
            if not isinstance(app, Module) and self._source.file(app.name) is not None:
                self._app(Path(*app.name.split(".")))
        self._subscribers()
        for label in sorted(self._plan.contracts):
            self._contract(label)
        self._tests()

    # --- kinds of code --------------------------------------------------------------------------

    def _app(self, folder: Path) -> None:
        """An app that is no module: what Django itself looks for; the rest if it is named."""
        for name in ("__init__.py", "apps.py", "models.py", "admin.py"):
            if (self._source.root / folder / name).is_file():
                self._take(folder / name)
        for name in ("models", "migrations", "templates", "static", "templatetags"):
            if (self._source.root / folder / name).is_dir():
                for path in self._source.below(folder / name):
                    self._take(path)
        commands = folder / "management" / "commands"
        if (self._source.root / commands).is_dir():
            for path in self._source.below(commands):
                if path.stem != "__init__" and not self._needs_absent(path):
                    self._take(path)

    def _contract(self, label: str) -> None:
        """A module that runs elsewhere: what it promises, and what stands for it in tests."""
        folder = Path(*self._packages[label].split("."))
        for part in PARTS:
            if (self._source.root / folder / f"{part}.py").is_file():
                self._take(folder / f"{part}.py")

    def _subscribers(self) -> None:
        """Who hears of its events: without them its relay would tell nobody."""
        heard: dict[str, set[type]] = {}
        for one in all_subscriptions():
            if one.event.event_owner == self._label and one.module != self._label:
                heard.setdefault(one.module, set()).add(one.event)
        for label, events in heard.items():
            self._plan.contracts.add(label)
            path = Path(*self._packages[label].split("."), "handlers.py")
            self._plan.texts[path] = handlers_elsewhere(label, events)
            self._packages_of(path)

    def _tests(self) -> None:
        if not (self._source.root / self._plan.tests).is_dir():
            return
        for path in self._source.below(self._plan.tests):
            if path.suffix == ".py" and path.name.startswith("test_"):
                missing = self._missing(path, seen=set())
                if missing:
                    self._plan.left_tests[path] = missing
                    continue
            self._take(path)
        for folder in self._plan.tests.parents:
            conftest = folder / "conftest.py"
            if folder != Path() and (self._source.root / conftest).is_file():
                self._take(conftest)

    # --- following ------------------------------------------------------------------------------

    def _take(self, path: Path) -> None:
        if path in self._plan.files or self._is_absent_file(path):
            return
        self._packages_of(path)
        if path.suffix != ".py":
            self._plan.copies.add(path)
            return
        text = self._source.text(path)
        kept = text
        if self._is_project(path):
            kept = pruned(text, path, self._absent)
            if path == self._source.file(settings.ROOT_URLCONF):
                kept = self._own_pages(kept, path)
        if kept == text:
            self._plan.copies.add(path)
        else:
            self._plan.texts[path] = kept
        tree = parsed(kept, path)
        everywhere = self._is_project(path) or path.is_relative_to(self._own)
        by = self._module_at(".".join(path.with_suffix("").parts))
        for dotted in imports(tree, path, everywhere=everywhere):
            self._follow(dotted, self._source.file(dotted), by=by)
        if self._is_project(path):
            for dotted in strings(tree):
                self._follow(dotted, self._source.longest(dotted), by=by)

    def _packages_of(self, path: Path) -> None:
        for init in self._source.packages(path):
            if init != path:
                self._take(init)

    def _follow(self, dotted: str, path: Path | None, *, by: str | None) -> None:
        """Take what a file of the module `by` names."""
        if path is None or dotted == GENERATED_SETTINGS:
            return
        label = self._module_at(dotted)
        if label not in (None, self._label, by):
            self._plan.contracts.add(str(label))
            if self._is_absent(dotted):
                return  # in a function of a test, or in code that only runs where it is
        self._take(path)

    def _own_pages(self, text: str, path: Path) -> str:
        """The routes without included ones that lead to nothing of the module."""
        useless = {
            dotted
            for dotted in strings(parsed(text, path))
            if (found := self._source.file(dotted)) is not None
            and self._is_project(found)
            and not self._reaches_own(found, seen=set())
        }
        return pruned(
            text,
            path,
            Absent(name=useless.__contains__, labels=(), settings=(), known=()),
        )

    def _reaches_own(self, path: Path, *, seen: set[Path]) -> bool:
        if path in seen:
            return False
        seen.add(path)
        if path.is_relative_to(self._own):
            return True
        if not self._is_project(path):
            return False
        return any(
            self._reaches_own(found, seen=seen) for found in self._imported(path, everywhere=False)
        )

    def _missing(self, path: Path, *, seen: set[Path]) -> str:
        """What a test needs, when it is loaded, that stays behind; empty when there is nothing."""
        seen.add(path)
        for dotted in imports(parsed(self._source.text(path), path), path, everywhere=False):
            found = self._source.file(dotted)
            if found is None or found in seen or dotted == GENERATED_SETTINGS:
                continue
            if self._is_absent(dotted, contracts_known=False):
                return dotted
            if self._module_at(dotted) is None and (more := self._missing(found, seen=seen)):
                return more
        return ""

    def _needs_absent(self, path: Path) -> bool:
        """Whether a command works with modules that do not run there."""
        seen: set[Path] = set()
        pending = [path]
        while pending:
            at = pending.pop()
            if at in seen:
                continue
            seen.add(at)
            for dotted in imports(parsed(self._source.text(at), at), at, everywhere=True):
                found = self._source.file(dotted)
                if found is None:
                    continue
                if self._module_at(dotted) not in (None, self._label):
                    return True
                pending.append(found)
        return False

    def _imported(self, path: Path, *, everywhere: bool) -> Iterable[Path]:
        for dotted in imports(parsed(self._source.text(path), path), path, everywhere=everywhere):
            found = self._source.file(dotted)
            if found is not None:
                yield found

    # --- what is what ---------------------------------------------------------------------------

    def _module_at(self, dotted: str) -> str | None:
        for label, package in self._packages.items():
            if dotted == package or dotted.startswith(f"{package}."):
                return label
        return None

    def _is_project(self, path: Path) -> bool:
        """The project's own code: neither a module's nor a test's."""
        inside = [Path(*package.split(".")) for package in self._packages.values()]
        return path.parts[0] != "tests" and not any(path.is_relative_to(one) for one in inside)

    def _is_absent(self, dotted: str, *, contracts_known: bool = True) -> bool:
        """Whether a dotted name leads into a module, past what of it travels."""
        label = self._module_at(dotted)
        if label is None or label == self._label:
            return False
        tail = dotted.removeprefix(self._packages[label]).lstrip(".").partition(".")[0]
        if not tail:
            return contracts_known and label not in self._plan.contracts
        if tail in PARTS:
            return False
        path = self._source.longest(dotted)
        return path is None or path not in self._plan.files

    def _is_absent_file(self, path: Path) -> bool:
        return path == Path(*GENERATED_SETTINGS.split(".")).with_suffix(".py")
