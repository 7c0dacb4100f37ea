"""`monolift check` on the files of three trees, beside import-linter alone, as whole processes."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks import trees
from benchmarks.context import Context
from benchmarks.paired import Case, compare
from benchmarks.results import Result
from benchmarks.run import ROOT

COLD, UNCHANGED = 1.5, 0.5
MEMORY = 1000.0
_MODULES = 500
_REAL = "wagtail==8.0.1"
_TACH = "tach==0.35.3"
_CACHES = (".monolift_cache", ".import_linter_cache", ".tach")


def run(context: Context) -> Iterator[Result]:
    """Cold, with nothing changed, and the memory it takes."""
    with tempfile.TemporaryDirectory(prefix="monolift-guards-") as temporary:
        base = Path(temporary)
        yield from _tree(context, "the shop", trees.shop(base / "shop"))
        yield _with_models(context)
        if context.short:
            return
        yield from _tree(
            context,
            f"a generated tree of {_MODULES} modules x 20 files",
            trees.generated(base / "generated", modules=_MODULES),
            tach=_tach(base / "tach"),
        )
        try:
            real = trees.installed(base / "real", requirement=_REAL, modules="wagtail.*")
        except subprocess.CalledProcessError:
            return  # no package index: the figure needs one
        yield from _tree(context, _REAL.replace("==", " "), real)


def _tree(context: Context, name: str, folder: Path, tach: Path | None = None) -> Iterator[Result]:
    pairs = context.pairs(9)
    program = Path(sys.executable)
    lint = [str(program.with_name("lint-imports")), "--no-logo"]
    check = [str(program), "-m", "monolift.management", "check", "--static"]
    result = partial(Result.ratio, figure="guards", database="-")
    yield result(
        compare(_cold(folder, check), _cold(folder, lint), pairs=pairs, warm=1),
        what=f"`monolift check --static` of {name}, cold / import-linter alone, cold",
        goal=COLD,
    )
    _timed(folder, check)
    yield result(
        compare(
            partial(_timed, folder, check), _cold(folder, lint, keep=True), pairs=pairs, warm=1
        ),
        what=f"`monolift check --static` of {name}, nothing changed / import-linter, cold",
        goal=UNCHANGED,
    )
    if tach is not None:
        yield result(
            compare(_cold(folder, [str(tach), "check"]), _cold(folder, lint), pairs=pairs, warm=1),
            what=f"tach on {name}, cold / import-linter alone, cold",
            goal=None,
        )
    _forget(folder)
    yield Result.count(
        _memory(folder, check),
        figure="guards",
        what=f"memory of `monolift check --static` of {name} at its peak",
        database="-",
        goal=MEMORY,
        unit="MB",
    )


def _with_models(context: Context) -> Result:
    """What boots Django: the checks of models and of migrations."""
    static = [sys.executable, "-m", "monolift.management", "check", "--static"]
    _timed(ROOT, static)
    return Result.ratio(
        compare(
            partial(_timed, ROOT, static[:-1]),
            partial(_timed, ROOT, static),
            pairs=context.pairs(9),
            warm=1,
        ),
        figure="guards",
        what="`monolift check` of the shop with models and migrations / `--static`, both with "
        "nothing changed",
        database="-",
        goal=None,
    )


def _cold(folder: Path, command: list[str], *, keep: bool = False) -> Case:
    """The command without its caches; those of `monolift check` stay if they are to be kept."""

    def case() -> float:
        _forget(folder, kept=_CACHES[:1] if keep else ())
        return _timed(folder, command)

    return case


def _forget(folder: Path, kept: tuple[str, ...] = ()) -> None:
    for name in _CACHES:
        if name not in kept:
            shutil.rmtree(folder / name, ignore_errors=True)


def _timed(folder: Path, command: list[str]) -> float:
    begun = time.perf_counter()
    _run(folder, command, subprocess.run)
    return time.perf_counter() - begun


def _run[T](folder: Path, command: list[str], start: Callable[..., T]) -> T:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    return start(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _memory(folder: Path, command: list[str]) -> float:
    process = _run(folder, command, subprocess.Popen)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss * 1024 / 1e6


def _tach(folder: Path) -> Path | None:
    """tach in an environment of its own; None when it cannot be had."""
    uv = str(Path(sys.executable).with_name("uv"))
    try:
        subprocess.run([uv, "venv", "--quiet", str(folder)], check=True, capture_output=True)
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--python", str(folder / "bin/python"), _TACH],
            check=True,
            capture_output=True,
        )
    except subprocess.CalledProcessError:
        return None
    return folder / "bin" / "tach"
