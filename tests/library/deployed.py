"""A deployable of the library's small world, in processes of its own."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from monolift.supervise.preflight import any_free_port
from tests.library.running import ROOT, descendants, environment, eventually, get


class Deployed:
    """A deployable's web process, with a database of its own; it can be ended and started again."""

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        topology: Path,
        keys: Sequence[Mapping[str, str]],
        urls: Mapping[str, str],
        port: int = 0,
        threads: int = 12,
        **more: str,
    ) -> None:
        self.port = port or any_free_port()
        self.log = folder / "log"
        self._threads = threads
        self._log = self.log.open("ab")
        secrets = folder / "keys.json"
        secrets.write_text(json.dumps(keys))
        self.env = environment(
            **{
                "DJANGO_SETTINGS_MODULE": "tests.settings",
                "MONOLIFT_DATA": str(folder / "var"),
                "MONOLIFT_DEPLOYABLE": name,
                "MONOLIFT_TOPOLOGY": str(topology),
                "MONOLIFT_URLS": ",".join(f"{other}={url}" for other, url in urls.items()),
                "MONOLIFT_KEYS": str(secrets),
                "LOG_LEVEL": "ERROR",
                **more,
            }
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

    @property
    def processes(self) -> set[int]:
        """What runs of it: the process, and those that it has started."""
        if self._process is None:
            return set()
        return {self._process.pid, *descendants(self._process.pid)}

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
