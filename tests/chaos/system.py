"""The system under chaos: a database, writers, workers, each a process of its own."""

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg

from monolift.supervise.servers import PostgreSQL
from tests.library.running import ROOT, environment, eventually

_BEYOND_THE_LEASE = 3.0


class System:
    """Starts processes, ends them roughly, and reads what is in the database."""

    def __init__(self, folder: Path, *, postgresql: bool, log: Path | None = None) -> None:
        self.folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: dict[str, Sequence[str]] = {}
        self._server = PostgreSQL(folder) if postgresql else None
        self._log = (log or folder / "log").open("ab")
        self.done: list[str] = []
        """What was done to it, in words."""
        if self._server is not None:
            self._server.prepare()
            self._start_server()

    @property
    def env(self) -> dict[str, str]:
        """Of every process."""
        return environment(
            DJANGO_SETTINGS_MODULE="tests.chaos.settings",
            MONOLIFT_DATA=str(self.folder),
            MONOLIFT_TRANSPORT="local",
            MONOLIFT_CHAOS_ATTEMPTS=os.environ.get("MONOLIFT_CHAOS_ATTEMPTS", "1000"),
            DATABASE_URL=self._server.url if self._server else "",
            LOG_LEVEL="ERROR",
        )

    def manage(self, *arguments: str) -> None:
        """Run a command to its end."""
        subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            check=True,
            stdout=self._log,
            stderr=self._log,
        )

    def start(self, name: str, *command: str) -> None:
        """Start a Python process, under a name."""
        self._commands[name] = command
        self._processes[name] = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )

    def running(self, prefix: str) -> list[str]:
        """The processes of that kind that have not ended."""
        return [
            name
            for name, process in self._processes.items()
            if name.startswith(prefix) and process.poll() is None
        ]

    def kill(self, name: str) -> None:
        """End a process as a lack of memory does, and start it again."""
        self.done.append(f"killed {name}")
        self._processes[name].kill()
        self._processes[name].wait()
        self.start(name, *self._commands[name])

    def pause(self, name: str) -> None:
        """Stop a process for longer than its leases last, as a swapping machine does."""
        self.done.append(f"paused {name}")
        self._processes[name].send_signal(signal.SIGSTOP)
        time.sleep(_BEYOND_THE_LEASE)
        self._processes[name].send_signal(signal.SIGCONT)

    def crash_server(self) -> None:
        """Stop PostgreSQL without writing anything any more, and start it again."""
        if self._server is not None:
            self.done.append("crashed PostgreSQL")
            process = self._processes["postgresql"]
            process.send_signal(signal.SIGQUIT)
            process.wait()
            self._start_server()

    def disturb(self, chance: random.Random) -> None:
        """Do one of these, to one of the workers or to the server."""
        what = chance.choice(["kill", "kill", "kill", "pause", "crash"])
        victim = chance.choice(self.running("worker"))
        if what == "crash":
            self.crash_server()
        elif what == "pause":
            self.pause(victim)
        else:
            self.kill(victim)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        if self._server is not None:
            with psycopg.connect(self._server.url) as connection:
                return connection.execute(sql).fetchall()
        with contextlib.closing(sqlite3.connect(self.folder / "shop.sqlite3")) as link:
            return link.execute(sql).fetchall()

    def stop(self) -> None:
        """End everything, the database last."""
        for name in reversed(self._processes):
            process = self._processes[name]
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self._processes.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._log.close()

    def _start_server(self) -> None:
        assert self._server is not None
        recipe = self._server.recipe()
        self._processes["postgresql"] = subprocess.Popen(
            recipe.command,
            user=recipe.account,
            extra_groups=[] if recipe.account else None,
            cwd=recipe.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(self._server.ready, what="PostgreSQL answers")


@contextlib.contextmanager
def system(*, postgresql: bool) -> Iterator[System]:
    """A system with its tables in a folder of its own, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="monolift-chaos-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as somebody else where this runs as root
        made = System(folder, postgresql=postgresql)
        try:
            made.manage("migrate", "-v0")
            yield made
        finally:
            made.stop()
