"""The warehouse: a deployable of its own that hosts stock, with a database of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from monolift.registry.topology import Deployable, Place, install, reset, topology
from monolift.transport import peers, trust
from tests.library.running import ROOT, environment, eventually, free_port, get

SECRET = "k" * 40
KEYS = [{"id": "shop-1", "secret": SECRET, "issuer": "shop"}]
TOPOLOGY = Path(__file__).with_name("topology.toml")


class Warehouse:
    """Its web process, which can be ended and started again."""

    def __init__(self, folder: Path, *, threads: int = 12, **more: str) -> None:
        self.port = free_port()
        self._threads = threads
        self._log = (folder / "log").open("ab")
        keys = folder / "keys.json"
        keys.write_text(json.dumps(KEYS))
        self.env = environment(
            DJANGO_SETTINGS_MODULE="tests.settings",
            MONOLIFT_DATA=str(folder / "var"),
            MONOLIFT_DEPLOYABLE="warehouse",
            MONOLIFT_TOPOLOGY=str(TOPOLOGY),
            MONOLIFT_URLS="shop=http://127.0.0.1:1",
            MONOLIFT_KEYS=str(keys),
            LOG_LEVEL="ERROR",
            **more,
        )
        self._manage("prepare")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it serves."""
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "monolift.management", "web"),
                *("--port", str(self.port), "--threads", str(self._threads)),
            ],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        eventually(lambda: get(f"http://127.0.0.1:{self.port}/healthz")[0] == 200)

    def stop(self) -> None:
        """End it as an orchestrator does: what runs is answered."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=30)
            self._process = None

    def close(self) -> None:
        """End it for good."""
        self.stop()
        self._log.close()

    def _manage(self, verb: str) -> None:
        subprocess.run(
            [sys.executable, "manage.py", "monolift", verb],
            cwd=ROOT,
            env=self.env,
            check=True,
            stdout=self._log,
            stderr=self._log,
        )


@contextmanager
def reached(port: int, **declared: str) -> Iterator[None]:
    """Let this process be the shop, which reaches the warehouse at a port."""
    before = topology()
    places = {**before.places, "stock": Place(deployable="warehouse", route="http")}
    deployables: Mapping[str, Deployable] = {
        "warehouse": Deployable(url=f"http://127.0.0.1:{port}", **declared)
    }
    install(replace(before, epoch=before.epoch + 1, places=places, deployables=deployables))
    try:
        yield
    finally:
        reset()
        peers.forget()
        trust.forget()
