"""An ejected module at work: the monolith without its code calls it, and hears of its events."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen
from uuid import uuid4

import pytest

from monolift.supervise.preflight import any_free_port
from tests.library.running import environment, eventually, get
from tests.library.service.ejecting import copied, ejected, manage

TO = "stock@example.org"


class Side:
    """A deployable: a folder with a project, and its processes."""

    def __init__(self, folder: Path, name: str, port: int, env: Mapping[str, str]) -> None:
        self.folder = folder
        self.port = port
        self.data = folder.parent / f"{name}-data"
        self.data.mkdir()
        self.env = {
            **env,
            "MONOLIFT_DEPLOYABLE": name,
            "MONOLIFT_DATA": str(self.data),
            "STOCK_MAIL_TO": TO,
            "LOG_LEVEL": "WARNING",
        }

    def manage(self, *arguments: str) -> str:
        done = manage(*arguments, folder=self.folder, **self.env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def shell(self, code: str) -> str:
        return self.manage("shell", "--no-imports", "-c", code)

    def start(self, stack: ExitStack) -> None:
        """Its web process and its worker."""
        self.manage("monolift", "prepare")
        log = stack.enter_context((self.data / "log").open("wb"))
        for role in (
            ["-m", "monolift.management", "web", "--port", str(self.port), "--threads", "12"],
            ["manage.py", "monolift", "worker"],
        ):
            process = subprocess.Popen(
                [sys.executable, *role],
                cwd=self.folder,
                env=environment(**self.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            stack.callback(process.wait, timeout=60)
            stack.callback(process.terminate)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def without_its_code(folder: Path, page: str) -> None:
    """The monolith, as MONOLITH.md says it may be."""
    copied(folder)
    gone = page.partition("## May go")[2].split("```")[1].split()
    assert "modules/inventory/services.py" in gone
    for name in gone:
        (folder / name).unlink(missing_ok=True)


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Side, Side]]:
    """The monolith and the service."""
    base = tmp_path_factory.mktemp("ejected")
    ejected("inventory", base / "inventory")
    without_its_code(base / "shop", (base / "inventory" / "MONOLITH.md").read_text())
    ports = {"shop": any_free_port(), "inventory": any_free_port()}
    keys = base / "keys.json"
    keys.write_text(
        json.dumps([{"id": f"{name}-1", "secret": name * 8, "issuer": name} for name in ports])
    )
    common = {
        "MONOLIFT_KEYS": str(keys),
        "MONOLIFT_URLS": ",".join(
            f"{name}=http://127.0.0.1:{port}" for name, port in ports.items()
        ),
    }
    topology = str(base / "shop" / "config" / "topology.inventory.toml")
    shop = Side(base / "shop", "shop", ports["shop"], {**common, "MONOLIFT_TOPOLOGY": topology})
    service = Side(base / "inventory", "inventory", ports["inventory"], common)
    with ExitStack() as stack:
        for side in (shop, service):
            side.start(stack)
        for side in (shop, service):
            eventually(lambda side=side: get(f"{side.url}/healthz")[0] == 200)
        yield shop, service


def test_a_call_from_the_monolith_reaches_it(sides: tuple[Side, Side]) -> None:
    """By the same lines as before; and its REST answers at both."""
    shop, service = sides
    sku = f"S{uuid4().hex[:8]}"
    shop.shell(
        "from uuid import uuid4; from monolift import use\n"
        "from modules.inventory.interface import Inventory, Line, Sku\n"
        f"use(Inventory).receive(reference=uuid4(), lines=[Line(sku=Sku('{sku}'), quantity=7)])"
    )
    for side in sides:
        with urlopen(f"{side.url}/api/v1/inventory/availability?sku={sku}", timeout=10) as found:
            assert json.load(found) == {sku: 7}
    count = "from modules.inventory.models import Stock; print(Stock.objects.count())"
    assert int(service.shell(count)) >= 1
    assert get(f"{service.url}/api/v1/catalog/products")[0] == 404


def test_its_events_reach_the_monolith(sides: tuple[Side, Side]) -> None:
    """Low stock becomes a mail there, once."""
    shop, _ = sides
    sku = f"L{uuid4().hex[:8]}"
    shop.shell(
        "from uuid import uuid4; from monolift import use\n"
        "from modules.inventory.interface import Inventory, Line, Sku\n"
        "i = use(Inventory)\n"
        f"i.receive(reference=uuid4(), lines=[Line(sku=Sku('{sku}'), quantity=3)])\n"
        f"i.set_threshold(sku=Sku('{sku}'), threshold=2)\n"
        f"i.reserve(reference=uuid4(), lines=[Line(sku=Sku('{sku}'), quantity=2)])"
    )

    def mails() -> list[str]:
        folder = shop.data / "mail"
        texts = [path.read_text() for path in folder.glob("*")] if folder.is_dir() else []
        return [text for text in texts if sku in text]

    assert TO in eventually(mails)[0]
    assert len(mails()) == 1
