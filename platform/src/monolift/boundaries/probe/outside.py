"""The project's code that lies in no app: a probe says nothing about it, so it says that."""

import os
from collections import Counter
from pathlib import Path

from monolift.boundaries.first_party import is_first_party
from monolift.boundaries.project import Project

_SKIPPED = frozenset(("__pycache__", "node_modules", "tests", "test", "docs", "static", "locale"))


def outside(project: Project, root: Path) -> str:
    """One sentence with the folders and their Python files; empty when there are none."""
    apps = {folder for module in project.modules for folder in module.folders}
    counted: Counter[str] = Counter()
    for current, folders, files in os.walk(root):
        here = Path(current)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _SKIPPED
            and here / name not in apps
            and not (here / name / "pyvenv.cfg").exists()
            and is_first_party(here / name, root)
        )
        inside = here.relative_to(root).parts
        if inside:
            counted[inside[0]] += sum(name.endswith(".py") for name in files)
    named = [
        f"{name} ({'1 file' if count == 1 else f'{count} files'})"
        for name, count in counted.most_common()
        if count
    ]
    if not named:
        return ""
    more = f" and {len(named) - 6} more folders" if len(named) > 6 else ""
    return f"Code outside every app is not judged: {', '.join(named[:6])}{more}."
