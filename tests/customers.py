"""Customers of a shop that runs: `scripts/load.py`, at a pace for a machine that runs tests too."""

import json
import signal
import subprocess
import sys
from typing import Any, Self

from tests.library.running import ROOT, Running


class Customers:
    """Orders at a steady rate; nothing is sent twice."""

    def __init__(self, run: Running, *, rate: float = 2.0) -> None:
        self._process = subprocess.Popen(
            [
                *(sys.executable, ROOT / "scripts/load.py", "--url", run.url),
                *("--rate", str(rate), "--json"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    def leave(self) -> dict[str, Any]:
        """Send no more; the sum."""
        self._process.send_signal(signal.SIGINT)
        out, _ = self._process.communicate(timeout=120)
        found: dict[str, Any] = json.loads(out)
        return found


# Each customer buys one article.
AGREE = """
    SELECT (SELECT COUNT(*) FROM orders_order),
           (SELECT SUM(received - available) FROM inventory_stock),
           (SELECT COUNT(*) FROM inventory_hold WHERE state = 'taken')
"""
"""What was sold, what is gone from the shelf, and what holds took."""
