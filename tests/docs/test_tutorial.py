"""The tutorial of a lift, as it happens: its commands, what they print, and customers meanwhile."""

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.customers import AGREE, Customers
from tests.library.running import MONOLIFT, ROOT, Running, command_line, eventually, open_shop

TUTORIAL = (ROOT / "docs" / "tutorial" / "lift.md").read_text("utf-8")
_NUMBER = re.compile(r"\d+(\.\d+)?")
_MODULES = sorted((ROOT / "modules").rglob("*.py"))


def commands() -> Iterator[tuple[str, list[str]]]:
    """The commands of the page that end by themselves, each with lines that it prints."""
    for block in re.findall(r"```console\n(.*?)```", TUTORIAL, re.DOTALL):
        command, *lines = block.strip().splitlines()
        if command.startswith("$ .venv/bin/monolift "):
            yield command.removeprefix("$ .venv/bin/monolift "), lines


@pytest.fixture(scope="module")
def shop() -> Iterator[Running]:
    """The shop, running."""
    with open_shop() as run:
        yield run


def types(run: Running, command: str, lines: list[str]) -> None:
    """Type a command, and see the lines in what it prints, whatever their numbers."""
    done = subprocess.run(
        [MONOLIFT, *command.split()],
        cwd=ROOT,
        env={**run.env, "MONOLIFT_DATA": str(run.data)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    printed = _plain(done.stdout)
    for line in lines:
        assert _plain(line) in printed, f"{command} does not print {line!r} but:\n{done.stdout}"


def _plain(text: str) -> str:
    return re.sub(r"[ \t]+", " ", _NUMBER.sub("0", text)).strip()


def service(run: Running) -> list[int]:
    """The web processes of the service."""
    return [
        pid
        for pid in run.look()
        if "monolift.management web" in command_line(pid)
        and f"--port {run.port} " not in command_line(pid)
    ]


def row(file: Path, sql: str) -> tuple[int, ...]:
    """What a database says."""
    with contextlib.closing(sqlite3.connect(file)) as link:
        found: tuple[int, ...] = link.execute(sql).fetchone()
        return found


def test_the_tutorial(shop: Running) -> None:
    before = {path: path.read_bytes() for path in _MODULES}
    steps = list(commands())
    soak = next(number for number, (command, _) in enumerate(steps) if command.endswith(" soak"))
    _with_customers(shop, steps[:soak])
    _kill_and_see_it_recover(shop)
    _with_customers(shop, steps[soak:])
    eventually(lambda: not service(shop), what="the service has ended")
    # What was sold is gone from the shelf, once, wherever the shelf was.
    file = shop.data / "shop.sqlite3"
    eventually(lambda: len(set(row(file, AGREE))) == 1, what="orders, stock and holds agree")
    # No line of anybody has changed.
    assert {path: path.read_bytes() for path in _MODULES} == before


def _with_customers(run: Running, steps: list[tuple[str, list[str]]]) -> None:
    """Type the commands while orders are placed: none of them fails."""
    with Customers(run) as customers:
        for command, lines in steps:
            types(run, command, lines)
            time.sleep(1)  # a while of customers in each state
        summed = customers.leave()
    assert summed["failed"] == 0, summed["failures"]
    assert summed["orders"]


def _kill_and_see_it_recover(run: Running) -> None:
    first, *others = service(run)
    for pid in (first, *others):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: len(service(run)) >= 1 + len(others), what="the service is started again")
    eventually(lambda: _sells(run), what="the shop sells again")


def _sells(run: Running) -> bool:
    done = subprocess.run(
        [
            *(sys.executable, ROOT / "scripts/load.py", "--url", run.url),
            *("--rate", "1", "--seconds", "1", "--json"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode == 0
