"""Every coupling between a project's modules: from its files, its models and its migrations."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from monolift.boundaries.files import SourceFile, scan
from monolift.boundaries.imported_tests import ImportedTests
from monolift.boundaries.judge import Judge
from monolift.boundaries.probe.errors import ProbeError
from monolift.boundaries.probe.kinds import OF_RULE, TOLD_BY_DJANGO
from monolift.boundaries.probe.loaders import named_by_label
from monolift.boundaries.probe.routes import is_own_url, with_routes
from monolift.boundaries.project import Project
from monolift.boundaries.references import Reference, Unreadable, references
from monolift.boundaries.registry.dependencies import dependency_violations
from monolift.boundaries.registry.graph import ModelGraph
from monolift.boundaries.registry.inheritance import inheritance_violations
from monolift.boundaries.registry.operations import operation_violations
from monolift.boundaries.registry.queries import query_violations
from monolift.boundaries.registry.relations import relation_violations
from monolift.boundaries.registry.sources import Sources
from monolift.boundaries.templates import template_violations
from monolift.boundaries.violations import Violation
from monolift.boundaries.vocabulary import Vocabulary, read_vocabulary


class Coupling(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """One thing of a module that depends on one thing of another module."""

    source: str
    """The module that depends."""
    target: str
    """The module depended upon; empty when it may be any."""
    kind: str
    path: str
    line: int
    origin: str
    """Dotted name of the innermost class or function that does it."""
    name: str
    """What it reaches."""
    message: str


class Size(msgspec.Struct, kw_only=True):
    """How much code a module is, tests left out."""

    files: int = 0
    lines: int = 0
    """Lines that are not blank."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of a project."""

    couplings: tuple[Coupling, ...]
    """Each once, in order."""
    sizes: dict[str, Size]
    """By label of the module."""
    notes: tuple[str, ...]
    """What could not be seen, and why."""


def read(project: Project) -> Reading:
    """Read all files, models and migrations of the modules. Raises ProbeError."""
    files = scan(project)
    words, note = with_routes(read_vocabulary(project, files))
    sizes = {module.label: Size() for module in project.modules}
    graph = ModelGraph(project)
    found = [*_of_django(graph), *template_violations(words, files)]
    judge = Judge(words)
    tests = ImportedTests(files)
    pending = [*files.python]
    for file in pending:
        content = (project.root / file.path).read_bytes()
        sizes[file.module].files += 1
        sizes[file.module].lines += sum(1 for line in content.splitlines() if line.strip())
        named = _named(project, file, content)
        pending += tests.named_by(named)
        found += _of_file(judge, words, file, named)
    couplings = tuple(sorted(_couplings(found, words, graph.tables)))
    return Reading(couplings=couplings, sizes=sizes, notes=(note,) if note else ())


def _of_django(graph: ModelGraph) -> Iterator[Violation]:
    """What the registry's guards read, counted where somebody would have to edit.

    A field of an abstract model is one place, whoever takes it. Whoever takes an abstract model of
    another module shares no rows with it, and a migration that uses what it imports does so where
    it imports it: both are imports, which the files tell.
    """
    sources = Sources(graph.project)
    yield from relation_violations(graph, sources, definer=sources.writer)
    yield from inheritance_violations(graph, sources, abstract=False)
    yield from query_violations(graph, sources)
    yield from dependency_violations(graph, sources)
    yield from operation_violations(graph, sources, imports=False)


def _named(project: Project, file: SourceFile, content: bytes) -> list[Reference]:
    try:
        return references(file, content, packages=project.top_packages)
    except Unreadable as error:
        folder = file.path.rpartition("/")[0]
        raise ProbeError(
            f"{error}. Mend the file, or leave its folder out: --exclude {folder}."
        ) from None


def _of_file(
    judge: Judge, words: Vocabulary, file: SourceFile, named: list[Reference]
) -> Iterator[Violation]:
    yield from _plain_imports(words.project, file, named)
    for violation in judge.violations(file, named):
        if violation.rule not in TOLD_BY_DJANGO:
            yield violation
    yield from named_by_label(words.project, file, named)


def _plain_imports(
    project: Project, file: SourceFile, named: Iterable[Reference]
) -> Iterator[Violation]:
    """Imports between apps of any style: a file called events.py is a contract in ours only."""
    for reference in named:
        target = project.module_at(reference.value) if reference.kind == "import" else None
        if target is not None and not target.house and target.label != file.module:
            yield Violation(
                module=file.module,
                rule="private-import",
                source=reference.source,
                target=reference.value,
                path=file.path,
                line=reference.line,
                message=f"{file.name} imports {reference.value}.",
                way_out="",
            )


def _couplings(
    found: Iterable[Violation], words: Vocabulary, tables: Mapping[str, str]
) -> Iterator[Coupling]:
    seen: set[tuple[str, ...]] = set()
    for violation in found:
        kind = OF_RULE.get(violation.rule)
        if kind is None:
            continue  # a law of the house style, and no coupling of two modules
        if kind == "url" and is_own_url(words, violation.module, violation.target):
            continue
        target = _target(kind, violation, words, tables)
        identity = (violation.module, kind, violation.source, violation.target.casefold())
        if identity not in seen and target != violation.module:
            seen.add(identity)
            yield Coupling(
                source=violation.module,
                target=target,
                kind=kind,
                path=violation.path,
                line=violation.line,
                origin=violation.source,
                name=violation.target,
                message=violation.message,
            )


def _target(kind: str, violation: Violation, words: Vocabulary, tables: Mapping[str, str]) -> str:
    """The label of the module that a violation reaches into."""
    name = violation.target
    project = words.project
    match kind:
        case "url":
            return words.module_of_url(name)
        case "template":
            return words.templates.get(name, "")
        case "setting":
            return words.module_of_setting(name)
        case "sql":
            return words.module_of_table(name)
        case "cache-key":
            return words.module_of_label(name.rstrip(":./-|"))
        case "migration" if name.lower() in tables:
            return tables[name.lower()]
        case _:
            if at := project.module_at(name):
                return at.label
            return words.module_of_label(name.partition(".")[0])
