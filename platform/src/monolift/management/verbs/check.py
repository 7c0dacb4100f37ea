"""Check the boundaries between the modules.

Reads the files of the modules that `[tool.monolift]` in pyproject.toml names, runs the contracts of
`.importlinter`, and loads Django to look at the models and migrations (`--static` leaves that out;
no database is opened). What stands in the baseline is accepted; a baseline may only shrink.

Exit codes: 0 the boundaries hold; 1 they do not, or the baseline is not current; 2 wrong command
line; 3 it could not be judged, one line says why.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monolift.boundaries.project import Project
    from monolift.boundaries.violations import Violation

NEEDS_DJANGO = False
_UNJUDGED = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.epilog = None  # it lists the exit codes of the other verbs
    parser.add_argument(
        "--format",
        choices=("text", "json", "sarif", "github"),
        default="text",
        help="text for people (default), json, sarif for code scanning, github for annotations",
    )
    parser.add_argument(
        "--static", action="store_true", help="judge by the files alone, without loading Django"
    )
    parser.add_argument(
        "--baseline",
        action="store_true",
        help="accept today's violations; later, take out of the baseline what is mended",
    )
    parser.add_argument(
        "--explain", metavar="ID", help="say why a rule exists and how to mend this violation"
    )
    parser.add_argument(
        "--settings", metavar="MODULE", help="Django's settings (default: as manage.py has them)"
    )
    parser.add_argument(
        "--no-cache", action="store_true", help="read every file again, and keep nothing"
    )


def run(options: argparse.Namespace) -> int:
    """Check; the exit code."""
    from monolift.boundaries.project import ProjectError, find_root, read_project

    try:
        project = read_project(root=find_root())
        return _check(project, options)
    except ProjectError as error:
        sys.stderr.write(f"monolift: {error}\n")
    except BrokenPipeError:
        raise
    except OSError as error:  # a file that may not be read, a disk that is full
        named = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"monolift: {named}{error.strerror or error}.\n")
    return _UNJUDGED


def _check(project: "Project", options: argparse.Namespace) -> int:
    from monolift.boundaries import report
    from monolift.boundaries.baseline import compare, write
    from monolift.boundaries.check import judged_by_files, static_violations

    violations = static_violations(project, cached=not options.no_cache)
    if options.explain and any(one.id == options.explain for one in violations):
        return _explain(options.explain, violations)
    if not options.static:
        violations = _merged(violations, _of_django(project, options.settings))
    if options.explain:
        return _explain(options.explain, violations)
    judged = judged_by_files() if options.static else None
    if options.baseline:
        kept = write(project, violations, judged=judged)
        noun = "violation" if len(kept) == 1 else "violations"
        sys.stderr.write(f"monolift: {project.baseline} holds {len(kept)} {noun}.\n")
    compared = compare(project, violations, judged=judged)
    match options.format:
        case "json":
            print(report.as_json(compared))
        case "sarif":
            print(report.as_sarif(compared))
        case "github":
            print(report.as_github(compared, baseline=project.baseline))
        case _:
            from rich.console import Console

            console = Console(highlight=False)
            report.show(console, compared, modules=len(project.modules), baseline=project.baseline)
    return 1 if compared.new or compared.stale or compared.grown else 0


def _explain(name: str, violations: "list[Violation]") -> int:
    from monolift.boundaries.report import explained
    from monolift.boundaries.rules import rules

    _declare_rules()
    text = explained(name, violations)
    if text is None:
        sys.stderr.write(
            f"monolift: There is no violation and no rule {name!r}. Rules: {', '.join(rules())}.\n"
        )
        return _UNJUDGED
    print(text)
    return 0


def _declare_rules() -> None:
    """Every guard declares its rules where it is; all of them are told of."""
    import monolift.boundaries.booted
    import monolift.boundaries.registry.rules
    import monolift.boundaries.sql.rules  # noqa: F401 - for the rules


def _of_django(project: "Project", settings: str | None) -> "list[Violation]":
    from monolift.boundaries.booted import booted_violations

    if settings:
        os.environ["DJANGO_SETTINGS_MODULE"] = settings
    elif "DJANGO_SETTINGS_MODULE" not in os.environ:
        os.environ["DJANGO_SETTINGS_MODULE"] = project.settings or _of_manage(project.root)
    return booted_violations(project)


def _of_manage(root: Path) -> str:
    from monolift.boundaries.project import ProjectError
    from monolift.supervise.preflight import Refused
    from monolift.supervise.project import find

    try:
        return find().settings
    except Refused:
        raise ProjectError(
            f'{root} has no manage.py that names Django\'s settings. Write `settings = "..."` '
            "under [tool.monolift] in pyproject.toml, or check the files alone with --static."
        ) from None


def _merged(files: "list[Violation]", registry: "list[Violation]") -> "list[Violation]":
    """Each once. Of relations the loaded models know more, of the rest the files."""
    from monolift.boundaries.check import RELATIONS

    of_files = [one for one in files if one.rule not in RELATIONS]
    return sorted({one.identity: one for one in (*registry, *of_files)}.values())
