"""Trees of code for the guards to read: the shop's own, a generated one, an installed one."""

import random
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.run import ROOT

_PARTS = (
    "api", "admin", "forms", "views", "tasks", "queries", "models", "urls", "pricing", "placing",
    "exporting", "importing", "searching", "history",
)  # fmt: skip
_INDEPENDENT = """[importlinter]
root_packages =
    {root}

[importlinter:contract:independence]
name = Modules are independent
type = independence
modules =
    {modules}
ignore_imports =
    {modules}.requires -> {modules}.interface
    {modules}.handlers -> {modules}.events
unmatched_ignore_imports_alerting = none
"""


def shop(folder: Path) -> Path:
    """A copy of what this repository's `.importlinter` looks at."""
    for name in ("modules", "config"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(
        ROOT / "platform/src/monolift",
        folder / "monolift",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name in (".importlinter", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def generated(folder: Path, *, modules: int) -> Path:
    """Modules of twenty files each, in the house style, that keep every rule."""
    chance = random.Random(1)
    top = folder / "modules"
    top.mkdir(parents=True)
    _write(folder, "modules.*")
    (top / "__init__.py").touch()
    tach = ['source_roots = ["."]', ""]
    for number in range(modules):
        label = f"m{number:03d}"
        below = sorted({f"m{chance.randrange(number):03d}" for _ in range(3)} if number else ())
        for name, text in _module(label, below).items():
            (top / label).mkdir(exist_ok=True)
            (top / label / f"{name}.py").write_text(text, encoding="utf-8")
        tach += ["[[modules]]", f'path = "modules.{label}"']
        tach += [f"depends_on = {[f'modules.{one}' for one in below]}", ""]
    (folder / "tach.toml").write_text("\n".join(tach).replace("'", '"'), encoding="utf-8")
    return folder


def installed(folder: Path, *, requirement: str, modules: str) -> Path:
    """A distribution from the package index, its sub-packages taken for modules.

    Raises subprocess.CalledProcessError when it cannot be had.
    """
    subprocess.run(
        [
            str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--no-deps",
            "--target", str(folder), requirement,
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    _write(folder, modules)
    return folder


def _write(folder: Path, modules: str) -> None:
    (folder / "pyproject.toml").write_text(
        f'[tool.monolift]\nmodules = ["{modules}"]\n', encoding="utf-8"
    )
    root = modules.partition(".")[0]
    (folder / ".importlinter").write_text(
        _INDEPENDENT.format(root=root, modules=modules), encoding="utf-8"
    )


def _module(label: str, below: list[str]) -> dict[str, str]:
    calls = "".join(f"from modules.{one}.interface import Thing as T{one}\n" for one in below)
    calls += "".join(f"{one} = use(T{one})\n" for one in below)
    heard = "".join(f"from modules.{one}.events import Event1 as E{one}\n" for one in below)
    heard += "".join(
        f"\n\n@subscribe(E{one})\ndef on_{one}(event):\n    return event\n" for one in below
    )
    operations = "".join(
        f'    def op{number}(self, *, key: str) -> str:\n        """Do it."""\n        ...\n\n'
        for number in range(10)
    )
    events = "".join(f'class Event{n}:\n    """A fact."""\n\n    key: str\n\n\n' for n in range(5))
    files = {
        "__init__": "",
        "apps": (
            "from monolift import Module\n\n\nclass ThisModule(Module):\n"
            f'    name = "modules.{label}"\n    owner = "team-{label[-1]}"\n'
        ),
        "interface": f"from typing import Protocol\n\n\nclass Thing(Protocol):\n{operations}",
        "events": events,
        "requires": f"from monolift import use\n{calls}",
        "handlers": f"from monolift import subscribe\n{heard}",
    }
    return files | {part: _code(label, part) for part in _PARTS}


def _code(label: str, part: str) -> str:
    lines = [
        "from django.conf import settings",
        "from django.db import models",
        "",
        f"from modules.{label} import events",
        f"from modules.{label}.interface import Thing",
    ]
    for number in range(12):
        lines += [
            "",
            "",
            f"class {part.title()}{number}:",
            f'    """What {part} does with {number}."""',
            "",
            f"    name = 'field{number}'",
            "    page = settings.PAGE_SIZE",
            "",
            "    def run(self, value, other=None):",
            f"        total = value + {number}",
            "        for index in range(total):",
            "            if index % 2 == 0 and other is not None:",
            f"                total += other.get('key-{number}', index)",
            "        return {'total': total, 'name': self.name, 'label': f'{self.name}:{total}'}",
        ]
    return "\n".join(lines) + "\n"
