"""Contract suites against the shop in several deployables: `pytest --remote each tests/modules`.

What a module's fake passes asks the module by its interface alone, so it can run anywhere. Here it
runs against real processes with databases of their own: one stack for the whole run, emptied from
outside before each test. Time does not travel in other processes; such tests are left out.
"""

import contextlib
import dataclasses
import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from monolift.registry.places import Deployable, Topology
from monolift.registry.topology import install, reset, topology
from monolift.registry.topology_file import read_topology
from monolift.testing.scenario import Scenario
from monolift.transport import peers, trust
from tests.library.running import ROOT, Running, eventually, running

SLOW = 180.0
"""Seconds that all processes may take to start, on two busy cores."""
_KEPT = ("django_migrations", "django_content_type", "auth_permission", "monolift_truth", "sqlite_")
_WORK = """
    SELECT (SELECT COUNT(*) FROM monolift_outbox WHERE relayed_at IS NULL)
         + (SELECT COUNT(*) FROM monolift_delivery
            WHERE state = 'pending' AND due_at <= strftime('%Y-%m-%d %H:%M:%f', 'now'))
         + (SELECT COUNT(*) FROM monolift_saga
            WHERE status IN ('running', 'undoing')
              AND due_at <= strftime('%Y-%m-%d %H:%M:%f', 'now'))
"""


def contract_suites(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The tests that run against the stack, and the others."""
    chosen, others = [], []
    for item in items:
        spec = getattr(item, "callspec", None)
        route = spec.params.get("monolift_route") if spec else None
        if (
            spec is None
            or route is None
            or isinstance(route, str)
            or item.get_closest_marker("inside")
        ):
            others.append(item)
            continue
        spec.params["monolift_route"] = "http"
        if isinstance(item, pytest.Function):
            item.fixturenames.insert(0, "remote_stack")  # there before the route is chosen
        chosen.append(item)
    return chosen, others


class Stack:
    """The running shop."""

    def __init__(self, run: Running, name: str) -> None:
        self._run = run
        self._folder = run.data / name
        self.files = sorted(self._folder.glob("*/shop.sqlite3"))
        self.keys = json.loads((self._folder / "keys.json").read_text())
        self.urls = self._urls()

    def _urls(self) -> dict[str, str]:
        for pid in self._run.look():
            environ = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
            told = dict(entry.partition("=")[::2] for entry in environ)
            if urls := told.get("MONOLIFT_URLS"):
                return dict(pair.split("=", 1) for pair in urls.split(","))
        raise AssertionError("no process knows where the others are")

    def topology(self, file: Path) -> Topology:
        """As the tests' process sees it, which has no module of its own."""
        declared = read_topology(file)
        reached = {name: Deployable(url=url) for name, url in self.urls.items()}
        return dataclasses.replace(declared, epoch=topology().epoch + 1, deployables=reached)

    def wait_until_idle(self) -> int:
        """Nothing is announced that is not handled, nowhere."""
        calm = 0
        deadline = time.monotonic() + 30
        while calm < 2:  # what one hands over is not yet with the other
            calm = calm + 1 if self._work() == 0 else 0
            assert time.monotonic() < deadline, "the stack does not come to rest"
            time.sleep(0.05)
        return 0

    def _work(self) -> int:
        found = 0
        for file in self.files:
            with contextlib.closing(sqlite3.connect(file, timeout=10)) as link:
                found += link.execute(_WORK).fetchone()[0]
        return found

    def empty(self) -> None:
        """Take all rows away."""
        self.wait_until_idle()
        for file in self.files:
            with contextlib.closing(sqlite3.connect(file, timeout=10)) as link, link:
                # The index of texts is a virtual table, which triggers of its content empty.
                tables = link.execute("SELECT name FROM pragma_table_list WHERE type = 'table'")
                for (table,) in tables.fetchall():
                    if not table.startswith(_KEPT):
                        link.execute(f'DELETE FROM "{table}"')


@contextlib.contextmanager
def stack(name: str) -> Iterator[Stack]:
    """The shop in that topology, and this process as one that calls it."""
    file = ROOT / f"config/topology.{name}.toml"
    with running("--topology", str(file)) as run:
        eventually(
            lambda: run.process.poll() is not None or "Ctrl-C stops" in run.output,
            seconds=SLOW,
            what=name,
        )
        assert run.process.poll() is None, run.errors[-3000:]
        started = Stack(run, name)
        before = settings.MONOLIFT
        settings.MONOLIFT = {**before, "KEYS": started.keys, "URLS": started.urls}
        trust.forget()
        install(started.topology(file))
        try:
            yield started
        finally:
            settings.MONOLIFT = before
            trust.forget()
            reset()
            peers.forget()


@contextlib.contextmanager
def emptied(started: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For one test."""
    started.empty()
    monkeypatch.setattr(Scenario, "run_until_idle", lambda _: started.wait_until_idle())
    yield
