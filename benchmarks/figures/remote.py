"""What a call to a module in another deployable costs: beside a plain view, and beside httpx."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import msgspec
import urllib3
from django.conf import settings
from django.test.utils import override_settings

from benchmarks.context import Context
from benchmarks.figures.calls import in_a_request
from benchmarks.paired import Case, compare
from benchmarks.probe.interface import Probe
from benchmarks.probe.services import TEN_LINES
from benchmarks.results import Result
from benchmarks.servers import serving
from monolift import use
from monolift.registry.places import Deployable, Place
from monolift.registry.topology import install, reset, topology

GOAL_PLAIN = 1.3
GOAL_HTTPX = 0.6
KEYS = [{"id": "shop-1", "secret": "b" * 40, "issuer": "shop"}]
_TIMES = 50


def run(context: Context) -> Iterator[Result]:
    """A query with ten lines there, and ten priced lines back."""
    with elsewhere() as port, in_a_request():
        proxy = use(Probe)
        ours = _repeated(lambda: proxy.priced(lines=TEN_LINES))
        body = msgspec.json.encode({"lines": TEN_LINES})
        yield Result.ratio(
            compare(ours, _repeated(_by_urllib3(port, body)), pairs=context.pairs(101)),
            figure="remote",
            what="call to a module in another deployable / the same client to a hand-written view",
            database="-",
            goal=GOAL_PLAIN,
        )
        yield Result.ratio(
            compare(ours, _repeated(_by_httpx(port, body)), pairs=context.pairs(101)),
            figure="remote",
            what="call to a module in another deployable / httpx to a django-ninja endpoint",
            database="-",
            goal=GOAL_HTTPX,
        )


@contextmanager
def elsewhere(*, threads: int = 4) -> Iterator[int]:
    """Another deployable serves the probe, and this process reaches it; gives its port."""
    with tempfile.TemporaryDirectory(prefix="monolift-benchmark-") as folder:
        keys = Path(folder) / "keys.json"
        keys.write_text(json.dumps(KEYS))
        told = {
            "MONOLIFT_DEPLOYABLE": "other",
            "MONOLIFT_TOPOLOGY": str(Path(__file__).parents[1] / "topology.toml"),
            "MONOLIFT_URLS": "shop=http://127.0.0.1:1",
            "MONOLIFT_KEYS": str(keys),
        }
        with (
            serving("benchmarks.served_shop:application", threads=threads, **told) as port,
            override_settings(MONOLIFT={**settings.MONOLIFT, "KEYS": KEYS}),
        ):
            before = topology()  # earlier figures may have changed it
            places = {**before.places, "probe": Place(deployable="other", route="http")}
            there = {"other": Deployable(url=f"http://127.0.0.1:{port}")}
            assert install(
                replace(before, epoch=before.epoch + 1, places=places, deployables=there)
            )
            try:
                yield port
            finally:
                reset()


def _by_urllib3(port: int, body: bytes) -> Callable[[], object]:
    pool = urllib3.PoolManager(retries=False)
    url = f"http://127.0.0.1:{port}/floor/answer/plain"
    headers = {"Content-Type": "application/json"}

    def ask() -> object:
        answer = pool.urlopen("POST", url, body=body, headers=headers)
        assert answer.status == 200
        return answer.data

    return ask


def _by_httpx(port: int, body: bytes) -> Callable[[], object]:
    client = httpx.Client(timeout=5, trust_env=False)
    url = f"http://127.0.0.1:{port}/floor/answer/ninja/priced"
    headers = {"Content-Type": "application/json"}

    def ask() -> object:
        answer = client.post(url, content=body, headers=headers)
        assert answer.status_code == 200
        return answer.json()

    return ask


def _repeated(ask: Callable[[], object]) -> Case:
    def case() -> float:
        start = time.perf_counter()
        for _ in range(_TIMES):
            ask()
        return (time.perf_counter() - start) / _TIMES

    return case
