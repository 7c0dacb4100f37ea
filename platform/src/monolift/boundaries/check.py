"""Every guard that needs files alone, in one go."""

import contextlib
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

from monolift.boundaries import static_rules
from monolift.boundaries.cache import Cache, Read, key_of
from monolift.boundaries.files import Files, SourceFile, own_files, scan
from monolift.boundaries.imported_tests import ImportedTests
from monolift.boundaries.judge import Edge, Judge
from monolift.boundaries.loops import event_loops
from monolift.boundaries.order import out_of_order
from monolift.boundaries.project import Project
from monolift.boundaries.references import FIELDS, Reference, Unreadable, references
from monolift.boundaries.templates import template_violations
from monolift.boundaries.violations import Violation
from monolift.boundaries.vocabulary import Vocabulary, read_vocabulary

CACHE = ".monolift_cache"
RELATIONS = frozenset((*FIELDS.values(), "generic-foreign-key"))
"""Rules that files are judged by as far as they show relations; loaded models know all of them."""
_CONFIGURATION = ("pyproject.toml", ".importlinter", "setup.cfg")


def static_violations(project: Project, *, cached: bool = True) -> list[Violation]:
    """What the files show, sorted; without Django's registry. Raises ProjectError.

    While no file has changed it is the answer of the last run. The cache lies in a folder of the
    project that git ignores.
    """
    folder = project.root / CACHE if cached else None
    kept = Cache(folder)
    files = scan(project)
    key = key_of((_self(), project, files, *_stamps(project)))
    known = kept.verdict(key)
    if known is not None:
        return known
    first: dict[tuple[str, str, str], Violation] = {}
    for violation in _all(project, files, kept, folder):
        first.setdefault(violation.identity, violation)
    found = sorted(first.values())
    kept.keep_verdict(key, found)
    return found


def judged_by_files() -> frozenset[str]:
    """The rules that need nothing but files. Relations are found in them too, but not all."""
    names = {value for name, value in vars(static_rules).items() if name.isupper()}
    return frozenset(names)


def _all(project: Project, files: Files, kept: Cache, folder: Path | None) -> Iterator[Violation]:
    with _aside(partial(_of_imports, project, folder and folder / "imports")) as imports:
        vocabulary = read_vocabulary(project, files)
        judge = Judge(vocabulary)
        edges: list[Edge] = []
        unreadable: list[Unreadable] = []
        seen: defaultdict[str, set[str]] = defaultdict(set)
        for file, named in _read(vocabulary, files, kept, unreadable):
            edges += judge.edges(file, named)
            for violation in judge.violations(file, named):
                seen[file.name].add(violation.target)
                yield violation
        yield from template_violations(vocabulary, files)
        yield from out_of_order(project, edges)
        yield from event_loops(project, edges, files.python)
        yield from _ownerless(project)
        try:
            for violation in imports():
                if not _told_already(violation, seen):
                    yield violation
        except Unreadable as error:  # the first one; there may be more
            unreadable += [error, *_unreadable_files(project, files.python)]
        detailed = {one.path: one for one in unreadable}  # ast's own words come last
        yield from (_unreadable(project, one) for one in detailed.values())


def _of_imports(project: Project, cache: Path | None) -> list[Violation]:
    from monolift.boundaries.linter import import_violations  # loads import-linter

    return import_violations(project, cache=cache)


@contextlib.contextmanager
def _aside(work: Callable[[], list[Violation]]) -> Iterator[Callable[[], list[Violation]]]:
    """Do it in a process beside this one where that is cheap; the result when it is asked for."""
    if sys.platform != "linux" or (os.cpu_count() or 1) < 2:
        yield work
        return
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        yield pool.submit(work).result


def _read(
    vocabulary: Vocabulary, files: Files, kept: Cache, unreadable: list[Unreadable]
) -> Iterator[tuple[SourceFile, list[Reference]]]:
    key = key_of((_self(), vocabulary))
    before = kept.files(key)
    now: dict[str, Read] = {}
    packages = vocabulary.project.top_packages
    tests = ImportedTests(files)
    pending = [*files.python]
    for file in pending:
        known = before.get(file.path)
        if known is None or known.stamp != file.stamp:
            content = (vocabulary.project.root / file.path).read_bytes()
            try:
                named = (
                    references(file, content, packages=packages)
                    if vocabulary.may_point_away(file, content)
                    else []
                )
            except Unreadable as error:
                unreadable.append(error)
                continue
            known = Read(file.stamp, named)
        now[file.path] = known
        if known.references:
            pending += tests.named_by(known.references)
            yield file, known.references
    kept.keep_files(key, now)


def _unreadable_files(project: Project, files: list[SourceFile]) -> Iterator[Unreadable]:
    for file in files:
        try:
            content = (project.root / file.path).read_bytes()
            references(file, content, packages=project.top_packages)
        except Unreadable as error:
            yield error


def _stamps(project: Project) -> Iterator[object]:
    """What the verdict depends on beside the modules, file by file."""
    for name in _CONFIGURATION:
        file = project.root / name
        if file.is_file():
            state = file.stat()
            yield name, state.st_mtime_ns, state.st_size
    yield from own_files(project)


@cache
def _self() -> tuple[int, ...]:
    """Another one when the guards themselves are another version."""
    folder = Path(__file__).parent
    return tuple(sorted(file.stat().st_mtime_ns for file in folder.glob("**/*.py")))


def _told_already(violation: Violation, seen: Mapping[str, set[str]]) -> bool:
    """import-linter says file to file what the reader said file to name."""
    if violation.rule != static_rules.ARCHITECTURE:
        return False
    return any(
        target == violation.target or target.startswith(f"{violation.target}.")
        for target in seen.get(violation.source, ())
    )


def _ownerless(project: Project) -> Iterator[Violation]:
    for module in project.modules:
        if module.house and not module.owner:
            path = project.shown(module.folders[0] / "apps.py")
            yield Violation(
                module=module.label,
                rule=static_rules.NO_OWNER,
                source=module.packages[0],
                target="owner",
                path=path,
                line=1,
                message=f"{module.label} names no owner.",
                way_out='Write `owner = "team-..."` in its Module class.',
            )


def _unreadable(project: Project, error: Unreadable) -> Violation:
    name = error.path.removesuffix(".py").replace("/", ".")
    module = project.module_at(name.removesuffix(".__init__"))
    return Violation(
        module=module.label if module else "",
        owner=module.owner if module else "",
        rule=static_rules.SYNTAX,
        source=error.path,
        target="",
        path=error.path,
        line=error.line,
        message=f"{error.path} cannot be parsed: {error.reason}.",
        way_out="Correct the file; until then it hides what else is wrong in it.",
    )
