"""A module between two PostgreSQL servers, with all that takes part in its lift.

The control deployable `shop` (web, worker), the service `stock` (web, worker), a client, and the
tool: each a process that can be killed; and each server can be stopped as by a loss of power.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg

from monolift.supervise.preflight import any_free_port
from monolift.supervise.servers import PostgreSQL
from tests.library.running import ROOT, environment, eventually, get

ROLE = "monolift_stock"
_TOPOLOGY = """
[deployables.shop]
[deployables.stock]
[databases.stock]
[modules.stock]
deployable = "shop"
"""
_STAGE = re.compile(r"^(\w+)(, taken back)?(: done)?$")


class Lifting:
    """Starts it all, and ends it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.acknowledged = folder / "acknowledged"
        self.log = folder / "log"
        self._log = self.log.open("ab")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ports = {"shop": any_free_port(), "stock": any_free_port()}
        self._servers = {}
        for name in ("home", "away"):
            place = folder / name
            place.mkdir()
            place.chmod(0o755)
            self._servers[name] = PostgreSQL(place)
            self._servers[name].prepare()
            self.start(name)
        self._prepare()
        for name in ("shop web", "shop worker", "stock web", "stock worker", "client"):
            self.start(name)
        for port in self._ports.values():
            eventually(
                lambda port=port: get(f"http://127.0.0.1:{port}/healthz")[0], what="it serves"
            )
        eventually(lambda: len(self.keys()) > 5, what="the client is served")

    def _prepare(self) -> None:
        with self.session("away") as session:
            session.execute("ALTER SYSTEM SET wal_retrieve_retry_interval = '200ms'")
            session.execute("SELECT pg_reload_conf()")
        with self.session("home") as session:
            session.execute("ALTER SYSTEM SET wal_retrieve_retry_interval = '200ms'")
            session.execute("SELECT pg_reload_conf()")
        (self.folder / "topology.toml").write_text(_TOPOLOGY)
        keys = [
            {"id": f"{name}-1", "secret": "k" * 40, "issuer": name} for name in ("shop", "stock")
        ]
        (self.folder / "keys.json").write_text(json.dumps(keys))
        for label in ("monolift_db", "stock", "sales", "cards"):
            subprocess.run(
                [sys.executable, "manage.py", "migrate", label, "-v0", "--skip-checks"],
                cwd=ROOT,
                env=self.env("shop"),
                check=True,
                stdout=self._log,
                stderr=self._log,
            )
        with self.session("home", "postgres") as session:
            session.execute("CREATE DATABASE at_stock TEMPLATE shop")

    def env(self, deployable: str) -> dict[str, str]:
        """Of the processes of a deployable."""
        home = self._entry("home", "shop")
        own = {
            "ENGINE": "monolift.db.postgresql",
            "USER": ROLE,
            "MONOLIFT": {
                "module": "stock",
                "owner": {"USER": home["USER"], "PASSWORD": home["PASSWORD"]},
            },
        }
        away = self._entry("away", "shop")
        databases = {
            "default": home if deployable == "shop" else {**home, "NAME": "at_stock"},
            "stock": {**home, **own, "PASSWORD": "secret"},
            "stock_away": {
                **away,
                **own,
                "PASSWORD": "secret",
                "MONOLIFT": {
                    "module": "stock",
                    "owner": {"USER": away["USER"], "PASSWORD": away["PASSWORD"]},
                },
            },
        }
        data = self.folder / deployable
        data.mkdir(exist_ok=True)
        return environment(
            DJANGO_SETTINGS_MODULE="tests.chaos.lift_settings",
            MONOLIFT_CHAOS_DATABASES=json.dumps(databases),
            MONOLIFT_CHAOS_ATTEMPTS="1000000",
            MONOLIFT_DATA=str(data),
            MONOLIFT_DEPLOYABLE=deployable,
            MONOLIFT_TOPOLOGY=str(self.folder / "topology.toml"),
            MONOLIFT_URLS=",".join(
                f"{name}=http://127.0.0.1:{port}" for name, port in self._ports.items()
            ),
            MONOLIFT_KEYS=str(self.folder / "keys.json"),
            MONOLIFT_TRANSPORT="local",
            LOG_LEVEL="ERROR",
        )

    def _entry(self, name: str, database: str) -> dict[str, Any]:
        url = urlsplit(self._servers[name].url)
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": database,
            "USER": url.username,
            "PASSWORD": unquote(url.password or ""),
            "HOST": url.hostname,
            "PORT": str(url.port),
            "OPTIONS": {"connect_timeout": 5},
            "CONN_MAX_AGE": 300,
            "CONN_HEALTH_CHECKS": True,
        }

    def start(self, name: str) -> None:
        """Start one of the processes."""
        deployable, _, role = name.partition(" ")
        if name in self._servers:
            recipe = self._servers[name].recipe()
            self._processes[name] = subprocess.Popen(
                recipe.command,
                user=recipe.account,
                extra_groups=[] if recipe.account else None,
                cwd=recipe.folder,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
            )
            eventually(self._servers[name].ready, what=f"{name} answers")
            return
        more = {
            "web": ["-m", "monolift.management", "web", "--threads", "8",
                    "--port", str(self._ports.get(deployable, 0))],
            "worker": ["-m", "monolift.management", "worker", "--threads", "2"],
            "": ["-m", "tests.chaos.buyer", str(self.acknowledged), "2"],
        }[role]  # fmt: skip
        env = self.env("shop" if name == "client" else deployable)
        self._processes[name] = self._popen(more, env, self._log)

    def _popen(self, command: list[str], env: dict[str, str], out: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=self._log,
            start_new_session=True,
        )

    def kill(self, name: str) -> None:
        """End it as a lack of memory, or of power, does."""
        process = self._processes[name]
        if name in self._servers:
            process.send_signal(signal.SIGQUIT)
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def tool(self, *arguments: str) -> "Tool":
        """`monolift lift stock`, under way."""
        return Tool(self, *arguments)

    def session(self, server: str, database: str = "shop") -> Any:
        """The owner's."""
        url = urlsplit(self._servers[server].url)._replace(path=f"/{database}").geturl()
        return psycopg.connect(url, autocommit=True)

    def ask(self, sql: str, server: str = "home") -> list[tuple[Any, ...]]:
        """Rows, by the owner."""
        with self.session(server) as session:
            rows: list[tuple[Any, ...]] = session.execute(sql).fetchall()
            return rows

    def keys(self) -> list[str]:
        """What the client knows to be done."""
        return self.acknowledged.read_text().splitlines() if self.acknowledged.exists() else []

    def stop_client(self) -> None:
        """Let it get its last answers."""
        self._processes["client"].terminate()
        self._processes["client"].wait(120)

    def stop(self) -> None:
        """End everything, the servers last."""
        for name in reversed(self._processes):
            if self._processes[name].poll() is None:
                self.kill(name)
        self._log.close()


class Tool:
    """A command of the lift; what it prints is read as it comes."""

    def __init__(self, system: Lifting, *arguments: str) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "monolift.management", "lift", "stock", *arguments),
                *("--despite", "--watch-for", "0.5", "--budget", "2000"),
            ],
            cwd=ROOT,
            env={**system.env("shop"), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._moved = threading.Condition()
        self.began: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._moved:
                self.lines.append(line.rstrip())
                self._note(self.lines[-1])
                self._moved.notify_all()
        with self._moved:
            self._moved.notify_all()

    def _note(self, line: str) -> None:
        found = _STAGE.match(line)
        if not found:
            return
        stage, back, done = found.groups()
        if done:
            last = list(self.began)[-1]
            self.ended[last] = time.monotonic()
        else:
            self.began["-" * bool(back) + stage] = time.monotonic()

    def wait_for(self, stage: str, *, seconds: float = 120.0) -> bool:
        """Until it begins a stage (`-stage` on the way home); False when it ended before."""
        with self._moved:
            self._moved.wait_for(
                lambda: stage in self.began or not self._reader.is_alive(), timeout=seconds
            )
            return stage in self.began

    def kill(self) -> None:
        """As a lack of memory does."""
        self._process.kill()

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def end(self, *, seconds: float = 240.0) -> int:
        """Wait for its end; its exit status."""
        try:
            return self._process.wait(seconds)
        finally:
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGABRT)
                self._process.kill()
                self._process.wait()
            self._reader.join()
            if self._process.stdout is not None:
                self._process.stdout.close()

    @property
    def said(self) -> str:
        """All of it."""
        return "\n".join(self.lines)


def missing() -> str:
    """What keeps it from running here; empty when nothing does."""
    from monolift.supervise.preflight import Refused
    from monolift.supervise.programs import program

    try:
        program("initdb")
    except Refused as error:
        return str(error)
    return ""


def number(name: str, default: int) -> int:
    """A number from the environment."""
    return int(os.environ.get(name, default))
