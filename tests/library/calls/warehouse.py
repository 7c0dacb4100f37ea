"""The warehouse: a deployable of its own that hosts stock, with a database of its own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from monolift.registry.places import Deployable, Place
from monolift.registry.topology import install, reset, topology
from monolift.transport import peers, trust
from tests.library.deployed import Deployed

SECRET = "k" * 40
KEYS = [{"id": "shop-1", "secret": SECRET, "issuer": "shop"}]
TOPOLOGY = Path(__file__).with_name("topology.toml")


def made_warehouse(folder: Path, *, threads: int = 12, **more: str) -> Deployed:
    """It knows the shop, and cannot reach it."""
    urls = {"shop": "http://127.0.0.1:1"}
    return Deployed(
        folder, "warehouse", topology=TOPOLOGY, keys=KEYS, urls=urls, threads=threads, **more
    )


@contextmanager
def reached(port: int = 0, **declared: str) -> Iterator[None]:
    """Let this process be the shop, which reaches the warehouse at a port, or by a url."""
    before = topology()
    places = {**before.places, "stock": Place(deployable="warehouse", route="http")}
    deployables: Mapping[str, Deployable] = {
        "warehouse": Deployable(**{"url": f"http://127.0.0.1:{port}", **declared})
    }
    install(replace(before, epoch=before.epoch + 1, places=places, deployables=deployables))
    try:
        yield
    finally:
        reset()
        peers.forget()
        trust.forget()
