"""The page on adopting is run as it stands, on a small plain project."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adopt.md"
PROJECT = Path(__file__).parent / "assets" / "adopt"
_STEP = re.compile(
    r"^`(?P<file>[\w./]+)`(?P<end>, at the end)?\n```\w+\n(?P<text>.*?)^```$"
    r"|^```console\n(?P<commands>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


def steps(page: str) -> Iterator[re.Match[str]]:
    yield from _STEP.finditer(page)


def commands(block: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a block with the lines that its output must hold."""
    command, expected = "", []
    for line in block.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, expected
            command, expected = line.removeprefix("$ "), []
        else:
            expected.append(line.strip())
    yield command, expected


def environment(folder: Path) -> dict[str, str]:
    """As a developer's shell has it: the environment's programs first, git with a name."""
    inherited = ("MONOLIFT_", "DJANGO_", "PYTEST_", "DATABASE_URL", "GIT_")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(inherited)}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "300",
        "GIT_AUTHOR_NAME": "test",
        "GIT_AUTHOR_EMAIL": "test@example.org",
        "GIT_COMMITTER_NAME": "test",
        "GIT_COMMITTER_EMAIL": "test@example.org",
    }


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def follow(page: str, folder: Path) -> int:
    """Do what a page says; the number of its commands. Raises AssertionError where it is wrong."""
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
    for command in ("git init -q -b main", "git add .", "git commit -qm 'As it was'"):
        assert run(command, folder).returncode == 0
    done = 0
    for step in steps(page):
        if step["file"]:
            path = folder / step["file"]
            before = path.read_text(encoding="utf-8") if step["end"] else ""
            path.write_text(before + step["text"], encoding="utf-8")
            continue
        for command, expected in commands(step["commands"]):
            outcome = run(command, folder)
            first_look = command == "monolift check" and done == 1
            assert outcome.returncode == int(first_look), f"$ {command}\n{outcome.stdout}"
            for line in expected:
                assert line in outcome.stdout, f"$ {command}\n{outcome.stdout}"
            done += 1
    return done


def test_the_page_works(tmp_path: Path) -> None:
    assert follow(PAGE.read_text(encoding="utf-8"), tmp_path) == 21
    kept = run("python -c 'from mysite.settings import MIDDLEWARE as m; print(len(m))'", tmp_path)
    assert kept.stdout.strip() == "3", "the project's own were taken away"
    last = json.loads(run("monolift check --format json", tmp_path).stdout)
    assert [one["rule"] for one in last["accepted"]] == ["migration-dependency"]


MISTAKES = (
    ("FEW = 2\n", "FEW = 0\n", "FAIL: test_few_left_is_told_once"),
    (
        '@method_decorator(non_atomic_requests, name="dispatch")\n',
        "",
        "ERROR: test_it_is_taken .* RuntimeWarning",
    ),
    (
        '{"EXCEPTION_HANDLER": "mysite.problems.handle"}',
        "{}",
        "ERROR: test_too_many_is_a_problem",
    ),
)


def test_a_wrong_page_is_noticed(tmp_path: Path) -> None:
    """Each mistake by its own test of the project."""
    page = PAGE.read_text(encoding="utf-8")
    for right, wrong, _ in MISTAKES:
        assert right in page
        page = page.replace(right, wrong)
    with pytest.raises(AssertionError) as failed:
        follow(page, tmp_path)
    for _, _, noticed in MISTAKES:
        assert re.search(noticed, str(failed.value), re.DOTALL)


def test_what_came_new_would_have_failed(tmp_path: Path) -> None:
    shutil.copytree(PROJECT, tmp_path, dirs_exist_ok=True)
    files = {step["file"]: step["text"] for step in steps(PAGE.read_text()) if step["file"]}
    (tmp_path / "pyproject.toml").write_text(files["pyproject.toml"], encoding="utf-8")
    assert run("monolift check --baseline", tmp_path).returncode == 0
    with (tmp_path / "shop/stock/models.py").open("a") as file:
        file.write("\n\nfrom shop.orders.models import Order  # noqa: E402\n")
    outcome = run("monolift check", tmp_path)
    assert outcome.returncode == 1
    assert "shop.stock.models reached into shop.orders.models.Order." in outcome.stdout
