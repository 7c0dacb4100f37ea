"""import-linter's contracts and the search for chains, in one run on one import graph."""

import contextlib
import io
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import grimp
import grimp.exceptions
from importlinter import Contract, ContractCheck, configuration
from importlinter.application import output, use_cases
from importlinter.application.user_options import InvalidUserOptions, UserOptions

from monolift.boundaries import static_rules
from monolift.boundaries.chains import indirect_imports
from monolift.boundaries.files import own_packages
from monolift.boundaries.project import Project, ProjectError, StaticModule
from monolift.boundaries.references import Unreadable
from monolift.boundaries.violations import Violation

_OURS = frozenset(("module_boundary", "own_transactions"))
"""Contract types of this library: the reader of the files judges the same, with more to say."""
_UNDECODED = re.compile(r"Failed to decode file (?P<path>.+) as UTF-8")
_CONFIGURATIONS = (".importlinter", "setup.cfg", "pyproject.toml")


def import_violations(project: Project, *, cache: Path | None) -> list[Violation]:
    """Every broken contract of the project and every chain. Raises Unreadable and ProjectError."""
    source, options = _options(project)
    options.contracts_options = [
        one for one in options.contracts_options if one["type"] not in _OURS
    ]
    try:
        # Its progress is drawn on standard output, which belongs to our report.
        with _importable(project), contextlib.redirect_stdout(io.StringIO()):
            report = use_cases.create_report(options, cache_dir=str(cache) if cache else None)
    except grimp.exceptions.SourceSyntaxError as error:
        path = Path(error.filename)
        raise Unreadable(project.shown(path), error.lineno or 1, "syntax error") from None
    except OSError as error:
        where = project.shown(Path(error.filename or project.root))
        raise ProjectError(f"{where} cannot be read: {error.strerror}.") from None
    except (InvalidUserOptions, grimp.exceptions.GrimpException, ValueError) as error:
        if undecoded := _UNDECODED.search(str(error)):
            where = project.shown(Path(undecoded["path"]))
            raise Unreadable(where, 1, "it is not UTF-8") from None
        raise ProjectError(f"{source}: {' '.join(str(error).split())}") from None
    except ModuleNotFoundError as error:
        raise ProjectError(f"{source}: {error}. Is it a package of this project?") from None
    for name, reason in report.invalid_contract_options.items():
        raise ProjectError(f"{source}: the contract {name!r} cannot be read: {reason}")
    found = list(indirect_imports(project, report.graph))
    for contract, check in report.get_contracts_and_checks():
        if not check.kept:
            found += _told(project, contract, check, source)
    return found


def _options(project: Project) -> tuple[str, UserOptions]:
    """The file that configures import-linter and what it says; without one, only our packages."""
    configuration.configure()
    for name in _CONFIGURATIONS:
        file = project.root / name
        if not file.is_file():
            continue
        try:
            options = use_cases.read_user_options(config_filename=str(file))
            use_cases._register_contract_types(options)
        except FileNotFoundError:
            continue
        except Exception as error:  # whatever a contract type or a malformed file raises
            raise ProjectError(f"{name}: {' '.join(str(error).split())}") from None
        return name, options
    packages = own_packages(project)
    return "pyproject.toml", UserOptions({"root_packages": packages}, [])


@contextlib.contextmanager
def _importable(project: Project) -> Iterator[None]:
    """The project's packages on the import path, where grimp looks for them."""
    added = [str(root) for root in project.roots if str(root) not in sys.path]
    sys.path[:0] = added
    try:
        yield
    finally:
        for root in added:
            sys.path.remove(root)


def _told(
    project: Project, contract: Contract, check: ContractCheck, origin: str
) -> Iterator[Violation]:
    hops = list(_hops(check.metadata))
    for importer, imported, lines, chain in hops:
        module = project.module_at(importer)
        yield _violation(
            contract,
            module=module,
            source=importer,
            target=imported,
            path=_path(project, importer),
            line=min(lines, default=1),
            message=f"{contract.name}: {' -> '.join(chain)}.",
        )
    if not hops:
        yield _violation(
            contract,
            module=None,
            source=origin,
            target=contract.name,
            path=origin,
            line=1,
            message=f"{contract.name}: {_rendered(contract, check)}",
        )


def _violation(contract: Contract, *, module: StaticModule | None, **told: Any) -> Violation:
    return Violation(
        module=module.label if module else "",
        owner=module.owner if module else "",
        rule=static_rules.ARCHITECTURE,
        way_out="Remove the import, or decide otherwise in the contract.",
        **told,
    )


def _hops(data: Any) -> Iterator[tuple[str, str, tuple[int, ...], list[str]]]:
    """(importer, imported, lines, whole chain) of each chain in a check's metadata."""
    if isinstance(data, Mapping):
        chain = data.get("chain")
        links = data.get("chains") if chain is None else [chain]
        if isinstance(links, list) and links and all(isinstance(one, list) for one in links):
            for link in links:
                yield from _chain(link)
            return
        if {"importer", "imported", "line_numbers"} <= data.keys():
            yield from _chain([data])
            return
        for value in data.values():
            yield from _hops(value)
    elif isinstance(data, list | tuple | set | frozenset):
        for value in data:
            yield from _hops(value)


def _chain(links: list[Any]) -> Iterator[tuple[str, str, tuple[int, ...], list[str]]]:
    if links:
        lines = tuple(line for line in links[0].get("line_numbers", ()) if line)
        names = [links[0]["importer"], *(link["imported"] for link in links)]
        yield names[0], names[-1], lines, names


def _rendered(contract: Contract, check: ContractCheck) -> str:
    """What the contract itself says, in one line."""
    with output.console.capture() as capture:
        contract.render_broken_contract(check)
    return " ".join(capture.get().split())


def _path(project: Project, name: str) -> str:
    relative = Path(*name.split("."))
    for root in project.roots:
        for candidate in (relative.with_suffix(".py"), relative / "__init__.py"):
            if (root / candidate).is_file():
                return project.shown(root / candidate)
    return name
