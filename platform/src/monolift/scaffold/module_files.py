"""The files of a new module, from templates that are files themselves."""

from importlib.resources import files
from string import Template

_TEMPLATES = files("monolift.scaffold").joinpath("module")
_SOURCES = ("__init__", "interface", "events", "models", "queries", "services", "fakes", "apps")


def module_files(*, name: str, package: str, owner: str) -> dict[str, str]:
    """The module's files by their path in its folder."""
    values = {"name": name, "Name": camel(name), "package": package, "owner": owner}
    found = {f"{source}.py": _filled(f"{source}.py.txt", values) for source in _SOURCES}
    found["migrations/__init__.py"] = ""
    found["migrations/0001_initial.py"] = _filled("0001_initial.py.txt", values)
    return found


def test_file(*, name: str, package: str, library_is_own: bool) -> str:
    """Its test, for pytest.

    Imports are sorted as ruff does it, which asks whether the library is the project's own.
    """
    known = camel(name)
    ours = [
        f"from {package}.events import EntryAdded",
        f"from {package}.interface import {', '.join(sorted(('Entry', 'NameTaken', known)))}",
    ]
    library = [
        "from monolift import use",
        "from monolift.testing.scenario import Scenario",
    ]
    if library_is_own:
        imports = "\n" + "\n".join([*ours, *library]) + "\n"
    else:
        imports = "\n".join([*library, "", *ours]) + "\n"
    values = {"name": name, "Name": known, "package": package, "test_imports": imports}
    return _filled("test.py.txt", values)


def camel(name: str) -> str:
    """`order_history` as a class is called: OrderHistory."""
    return "".join(part.capitalize() for part in name.split("_"))


def _filled(template: str, values: dict[str, str]) -> str:
    return Template(_TEMPLATES.joinpath(template).read_text(encoding="utf-8")).substitute(values)
