"""What the running shop keeps resident: `monolift run` with one web process and one worker."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks import goods
from benchmarks.context import Context
from benchmarks.results import Result
from benchmarks.servers import ROOT, free_port

GOAL = 250.0
_SLOW = 120.0
_MEGABYTE = 1e6


def run(context: Context) -> Iterator[Result]:
    """Start it with the sample, browse and buy, look at the memory, stop it."""
    orders = 5 if context.short else 50
    with tempfile.TemporaryDirectory(prefix="monolift-run-") as folder, _running(folder) as run:
        process, port = run
        _use(port, orders)
        groups = _memory(process.pid)
    for name, goal in (("web and worker", GOAL), ("the supervisor", None)):
        rss, pss = groups[name]
        yield Result.count(
            rss / _MEGABYTE,
            figure="memory",
            what=f"resident memory of {name} in `monolift run`, after {orders} orders",
            database="SQLite",
            goal=goal,
            unit="MB",
            note=f"proportional (PSS): {pss / _MEGABYTE:.0f} MB",
        )


@contextlib.contextmanager
def _running(folder: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    with (Path(folder) / "out").open("wb") as out:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "monolift.management", "run", "--port", str(port),
                "--data", f"{folder}/var",
            ],
            cwd=ROOT,
            env=kept,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )  # fmt: skip
        try:
            _wait(process, port, Path(folder) / "out")
            yield process, port
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int, out: Path) -> None:
    deadline = time.monotonic() + _SLOW
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"monolift run ended at once:\n{out.read_text()[-2000:]}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"monolift run does not serve after {_SLOW:.0f} s.")


def _use(port: int, orders: int) -> None:
    """Every kind of page and request, several at a time as far as one client can."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(method: str, path: str, body: Any = None) -> Any:
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text) if text.startswith((b"{", b"[")) else None

    api = "/api/v1"
    products = ask("GET", f"{api}/catalog/products")["products"]
    for page in ("/", f"/products/{products[0]['slug']}", "/api/v1/docs", "/admin/login/"):
        with contextlib.suppress(RuntimeError):  # a page that is not there takes no memory
            ask("GET", page)
    skus = [product["variants"][0]["sku"] for product in products]
    available = ask("GET", f"{api}/inventory/availability?" + urlencode({"sku": skus}, doseq=True))
    left = [sku for sku, count in available.items() for _ in range(count)]
    for sku in left[:orders]:
        basket = ask("POST", f"{api}/baskets")["id"]
        path = f"{api}/baskets/{basket}"
        ask("POST", f"{path}/lines", {"sku": sku, "quantity": 1})
        ask("PUT", f"{path}/address", goods.ADDRESS_BODY)
        ask("PUT", f"{path}/delivery", {"method": "standard"})
        total = ask("GET", path)["total"]
        card = {"number": "4242424242424242", "expiry": "12/40", "cvc": "123"}
        token = ask("POST", f"{api}/payments/tokens", card)["token"]
        order = ask("POST", f"{path}/order", {"expected_total": total, "card_token": token})
        ask("GET", f"{api}/orders/{order['id']}")


def _memory(supervisor: int) -> dict[str, tuple[int, int]]:
    """Resident and proportional bytes of the supervisor, and of all it has started."""
    children = _descendants(supervisor)
    started = [_of(pid) for pid in children]
    return {
        "the supervisor": _of(supervisor),
        "web and worker": (sum(rss for rss, _ in started), sum(pss for _, pss in started)),
    }


def _of(pid: int) -> tuple[int, int]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    fields = dict(line.split(":", 1) for line in lines)
    return tuple(int(fields[name].split()[0]) * 1024 for name in ("Rss", "Pss"))  # type: ignore[return-value]  # two


def _descendants(pid: int) -> set[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                after_name = (entry / "stat").read_text().rpartition(")")[2]
                parents[int(entry.name)] = int(after_name.split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}
