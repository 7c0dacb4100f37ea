"""Brings up to date what a project generates from its modules, as far as it has it."""

import subprocess
import sys
import tomllib

from monolift.scaffold.errors import ScaffoldError
from monolift.supervise.project import Project


def generate(project: Project) -> list[str]:
    """Write CODEOWNERS, contract snapshots and the map anew; the files that changed.

    Raises ScaffoldError when one of them fails: the module itself is written by then.
    """
    changed = []
    if _has_owners(project):
        _run(project, [sys.executable, "-m", "monolift.boundaries.owners"])
        changed.append("CODEOWNERS")
    if (project.folder / "contracts").is_dir():
        changed += _run(project, project.django("contracts", "write"))
    if (project.folder / "docs" / "map").is_dir():
        changed += _run(project, project.django("docs"))
    return changed


def _has_owners(project: Project) -> bool:
    file = project.folder / "pyproject.toml"
    if not file.is_file():
        return False
    table = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("monolift", {})
    return "organisation" in table.get("codeowners", {})


def _run(project: Project, command: list[str]) -> list[str]:
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise ScaffoldError(
            f"The module is written, but `{' '.join(command[1:])}` failed: "
            f"{lines[-1] if lines else 'it gave no reason'}"
        )
    return done.stdout.split()
