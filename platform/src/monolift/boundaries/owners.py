"""CODEOWNERS, generated from the `owner` that each module's AppConfig names.

Reads the syntax trees of `<modules>/*/apps.py`, so it needs no Django and no settings. The format
is that of GitHub and GitLab: a path and its owners on each line, the last match wins.

    python -m monolift.boundaries.owners            # write CODEOWNERS
    python -m monolift.boundaries.owners --check    # exit 1 when it is not current

`pyproject.toml` holds the rest:

    [tool.monolift.codeowners]
    organisation = "monolift"            # "team-supply" becomes @monolift/team-supply
    modules = "modules"                  # the folder that holds the modules
    paths = { "*" = "maintainers" }      # owners of what is no module
"""

import argparse
import ast
import difflib
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

HEADER = "# Written by `make codeowners` from the modules' owners. Do not edit.\n"


class OwnerUnknown(Exception):
    """A module does not say who owns it."""


def owner_of(*, apps_file: Path) -> str:
    """The `owner = "..."` of the AppConfig in an `apps.py`.

    Raises OwnerUnknown when no class of the file assigns it a literal string.
    """
    tree = ast.parse(apps_file.read_text(encoding="utf-8"), filename=str(apps_file))
    for statement in ast.walk(tree):
        if not isinstance(statement, ast.ClassDef):
            continue
        for line in statement.body:
            match line:
                case (
                    ast.Assign(
                        targets=[ast.Name(id="owner")], value=ast.Constant(value=str() as owner)
                    )
                    | ast.AnnAssign(
                        target=ast.Name(id="owner"), value=ast.Constant(value=str() as owner)
                    )
                ) if owner:
                    return owner
                case _:
                    continue
    raise OwnerUnknown(f'{apps_file}: no owner. Write `owner = "team-..."` in its Module class.')


def codeowners(
    *, root: Path, organisation: str, modules: str = "modules", paths: Mapping[str, str] | None
) -> str:
    """The text of CODEOWNERS for the project at `root`.

    Raises OwnerUnknown when a module names no owner.
    """
    owners = dict(paths or {})
    for apps_file in sorted((root / modules).glob("*/apps.py")):
        owners[f"/{modules}/{apps_file.parent.name}/"] = owner_of(apps_file=apps_file)
    width = max((len(path) for path in owners), default=0)
    return HEADER + "".join(
        f"{path:<{width}} @{organisation}/{owner}\n" for path, owner in owners.items()
    )


def main(arguments: list[str] | None = None) -> int:
    """Write CODEOWNERS, or with `--check` compare it. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="monolift.boundaries.owners", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="fail when the file is not current")
    parser.add_argument("--root", type=Path, default=Path(), help="the project's folder")
    options = parser.parse_args(arguments)
    settings = tomllib.loads((options.root / "pyproject.toml").read_text(encoding="utf-8"))
    configured = settings.get("tool", {}).get("monolift", {}).get("codeowners", {})
    if "organisation" not in configured:
        sys.stderr.write(
            "pyproject.toml: no organisation. "
            'Write `organisation = "..."` under [tool.monolift.codeowners].\n'
        )
        return 2
    try:
        wanted = codeowners(
            root=options.root,
            organisation=configured["organisation"],
            modules=configured.get("modules", "modules"),
            paths=configured.get("paths"),
        )
    except OwnerUnknown as unknown:
        sys.stderr.write(f"{unknown}\n")
        return 2
    target = options.root / "CODEOWNERS"
    if not options.check:
        target.write_text(wanted, encoding="utf-8")
        return 0
    present = target.read_text(encoding="utf-8") if target.exists() else ""
    if present == wanted:
        return 0
    difference = difflib.unified_diff(
        present.splitlines(keepends=True), wanted.splitlines(keepends=True), "CODEOWNERS", "wanted"
    )
    sys.stderr.writelines(difference)
    sys.stderr.write("CODEOWNERS is not current. Run `make codeowners` and commit the file.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
