"""Finds the Django project whose processes are started, without loading Django."""

import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

from monolift.supervise.preflight import Refused

_SETTINGS = re.compile(r"""["']DJANGO_SETTINGS_MODULE["']\s*,\s*["']([\w.]+)["']""")


class Project(NamedTuple):
    """The folder of a project, its manage.py if it has one, and the name of its settings."""

    folder: Path
    manage: Path | None
    settings: str

    def django(self, *arguments: str) -> list[str]:
        """The command line of a verb that needs Django."""
        if self.manage is not None:
            return [sys.executable, str(self.manage), "monolift", *arguments]
        return [sys.executable, "-m", "django", "monolift", *arguments]

    def light(self, *arguments: str) -> list[str]:
        """The command line of a verb that does without Django."""
        return [sys.executable, "-m", "monolift.management", *arguments]


def find() -> Project:
    """The project of the working folder or of the nearest folder above that has a manage.py."""
    settings = os.environ.get("DJANGO_SETTINGS_MODULE", "")
    here = Path.cwd()
    for folder in (here, *here.parents):
        manage = folder / "manage.py"
        if manage.is_file():
            named = _SETTINGS.search(manage.read_text(encoding="utf-8", errors="replace"))
            settings = settings or (named.group(1) if named else "")
            if not settings:
                raise Refused(
                    f"{manage} does not say which settings it uses. Set DJANGO_SETTINGS_MODULE."
                )
            return Project(folder, manage, settings)
    if not settings:
        raise Refused(
            f"There is no manage.py in {here} nor above it, and DJANGO_SETTINGS_MODULE is not "
            "set. Go to the project's folder."
        )
    return Project(here, None, settings)
