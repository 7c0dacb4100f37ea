"""The `pyproject.toml` of a repository of its own, from that of the project."""

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from monolift.lift.service.eject.plan import GENERATED_SETTINGS, Plan
from monolift.lift.service.eject.source import imports, parsed
from monolift.lift.service.errors import ServiceError

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")
_ALWAYS = ("pytest", "pytest-django")


def document_of(root: Path) -> dict[str, Any]:
    """The project's `pyproject.toml`. Raises ServiceError without one that can be read."""
    try:
        return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ServiceError(
            f"{root / 'pyproject.toml'} cannot be read: {error}. It has the dependencies."
        ) from None


def pyproject(
    made: Plan,
    document: Mapping[str, Any],
    *,
    name: str,
    monolift: Path | None,
    service: Mapping[str, Any],
) -> str:
    """Its text. `monolift` is a checkout to take the library from instead of an index."""
    project = document.get("project", {})
    runtime: list[str] = list(project.get("dependencies", ()))
    if not any(_canonical(one) == "monolift" for one in runtime):
        runtime.insert(0, "monolift")
    label = made.module.label
    parts: list[tuple[str, Mapping[str, Any]]] = [
        (
            "project",
            {
                "name": name,
                "version": "0.1.0",
                "description": f"{label} as a service of its own.",
                "requires-python": project.get("requires-python", ">=3.12"),
                "dependencies": runtime,
            },
        ),
        ("dependency-groups", {"dev": sorted(_development(made, document, runtime))}),
        ("tool.uv", {"package": False}),
    ]
    if monolift is not None:
        source = {"path": str(monolift), "editable": True}
        parts.append(("tool.uv.sources.monolift", source))
    parts.append(("tool.pytest", _pytest(made, document)))
    monolift_table = document.get("tool", {}).get("monolift", {})
    kept = {key: monolift_table[key] for key in ("modules", "settings") if key in monolift_table}
    if kept:
        parts.append(("tool.monolift", kept))
    parts.append(("tool.monolift.service", service))
    return "\n".join(_table(name, values) for name, values in parts)


def _table(name: str, values: Mapping[str, Any]) -> str:
    # JSON's strings, numbers, booleans and lists of them are TOML's too.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return f"[{name}]\n" + "\n".join(lines) + "\n"


def _pytest(made: Plan, document: Mapping[str, Any]) -> dict[str, Any]:
    table = document.get("tool", {}).get("pytest", {})
    table = {
        **table.get("ini_options", {}),
        **{k: v for k, v in table.items() if k != "ini_options"},
    }
    flat = {key: value for key, value in table.items() if not isinstance(value, dict)}
    options = flat.get("addopts", [])
    if isinstance(options, str):
        options = options.split()
    return {
        **flat,
        "addopts": [*options, f"--only-module={made.module.label}"],
        "testpaths": [made.tests.as_posix()],
        "pythonpath": ["."],
        "DJANGO_SETTINGS_MODULE": GENERATED_SETTINGS,
        "django_find_project": False,
    }


def _development(made: Plan, document: Mapping[str, Any], runtime: Iterable[str]) -> Iterator[str]:
    """What the tests import beside the dependencies of the code, in the project's own words."""
    known = {
        _canonical(one): one
        for group in document.get("dependency-groups", {}).values()
        for one in group
        if isinstance(one, str)
    }
    installed = packages_distributions()
    wanted = {*_ALWAYS}
    for path in made.files:
        if path.suffix == ".py" and path.parts[0] == "tests":
            tree: ast.Module = parsed(made.texts.get(path) or made.source.text(path), path)
            tops = {name.partition(".")[0] for name in imports(tree, path, everywhere=True)}
            for top in tops - sys.stdlib_module_names:
                wanted |= {_canonical(one) for one in installed.get(top, ())}
    wanted -= {_canonical(one) for one in runtime}
    for name in wanted:
        if name in known:
            yield known[name]
        elif name in _ALWAYS:
            yield name


def _canonical(requirement: str) -> str:
    found = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", found[0] if found else requirement).lower()
