"""The public API under mypy and pyright: what must pass passes, what must not is an error.

A line that ends in `# expect: mypy, pyright` (or one of them) must be an error for the named
checkers; no other line may be. Each checker runs once for all files.
"""

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = sorted(path for folder in ("good", "bad") for path in (HERE / folder).glob("*.py"))
CHECKERS = ("mypy", "pyright")

Errors = dict[Path, dict[int, list[str]]]


def program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def run_mypy() -> Errors:
    """Errors of mypy by file and line."""
    command = [program("mypy"), "--config-file", "tests/typing/mypy.ini", "--no-error-summary"]
    result = subprocess.run(
        [*command, "tests/typing/good", "tests/typing/bad"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode in (0, 1), result.stdout + result.stderr
    errors: Errors = defaultdict(lambda: defaultdict(list))
    for file, line, message in re.findall(
        r"^(.+?):(\d+): error: (.+)$", result.stdout, flags=re.MULTILINE
    ):
        errors[ROOT / file][int(line)].append(message)
    return errors


def run_pyright() -> Errors:
    """Errors of pyright by file and line."""
    result = subprocess.run(
        [program("pyright"), "-p", "tests/typing/pyrightconfig.json", "--outputjson"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode in (0, 1), result.stdout + result.stderr
    errors: Errors = defaultdict(lambda: defaultdict(list))
    for found in json.loads(result.stdout)["generalDiagnostics"]:
        if found["severity"] == "error":
            line = found["range"]["start"]["line"] + 1
            errors[Path(found["file"])][line].append(found["message"])
    return errors


@pytest.fixture(scope="module")
def reported() -> dict[str, Errors]:
    return {"mypy": run_mypy(), "pyright": run_pyright()}


def expected_lines(path: Path, checker: str) -> set[int]:
    """The lines of a file that a checker must refuse."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {
        number
        for number, line in enumerate(lines, start=1)
        if (marked := re.search(r"# expect: ([\w, ]+)$", line))
        and checker in marked.group(1).split(", ")
    }


@pytest.mark.parametrize("checker", CHECKERS)
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_errors_stand_where_they_are_expected(
    path: Path, checker: str, reported: dict[str, Errors]
) -> None:
    errors = reported[checker][path]
    assert dict(errors).keys() == expected_lines(path, checker), dict(errors)


def test_every_marker_names_a_checker() -> None:
    for path in FILES:
        for marked in re.findall(r"# expect: (.*)$", path.read_text("utf-8"), flags=re.MULTILINE):
            assert set(marked.split(", ")) <= set(CHECKERS), f"{path}: {marked}"
        is_bad = path.parent.name == "bad" and path.stem != "__init__"
        assert is_bad == ("# expect:" in path.read_text("utf-8")), path
