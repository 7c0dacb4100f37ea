"""Two deployables of the library's small world, in processes of their own."""

import json
from pathlib import Path

import urllib3

from monolift.supervise.preflight import any_free_port
from monolift.transport.signing import Key, Signer
from tests.library.deployed import Deployed
from tests.library.running import python

NOTHING = {"epoch": 0, "places": {}}
KEYS = [
    {"id": f"{name}-1", "secret": name[0] * 40, "issuer": name} for name in ("shop", "warehouse")
]
FILE = """
[deployables.shop]
[deployables.warehouse]
[modules.stock]
deployable = "warehouse"
[modules.sales]
deployable = "shop"
"""


class Pair:
    """The shop, which has the row, and the warehouse, each on a database of its own."""

    def __init__(self, folder: Path) -> None:
        self.ports = {"shop": any_free_port(), "warehouse": any_free_port()}
        self.urls = {name: f"http://127.0.0.1:{port}" for name, port in self.ports.items()}
        self.file = folder / "topology.toml"
        self.file.write_text(FILE)
        self.one = {name: self._deployed(folder / name, name) for name in self.ports}

    def _deployed(self, folder: Path, name: str, **more: str) -> Deployed:
        folder.mkdir(exist_ok=True)
        others = {other: url for other, url in self.urls.items() if other != name}
        return Deployed(
            folder,
            name,
            topology=self.file,
            keys=KEYS,
            urls=others,
            port=self.ports[name],
            threads=2,
            LOG_LEVEL="INFO",
            **more,
        )

    def move(self, deployable: str, *, module: str = "stock") -> str:
        """As an operator in the control deployable; who could not be told, and why."""
        script = (
            "from monolift.truth import follow, row\n"
            "from monolift.truth.document import Stay\n"
            f"stay = Stay(deployable={deployable!r}, database='default')\n"
            f"print(follow.spread(row.change({{{module!r}: stay}})))"
        )
        return python(script, self.one["shop"].env)

    def ask(
        self, name: str, document: object = NOTHING, *, issuer: str = "", signed: bool = True
    ) -> urllib3.BaseHTTPResponse:
        """What a deployable answers to another one."""
        issuer = issuer or next(other for other in self.ports if other != name)
        body = json.dumps(document).encode()
        headers = {"Content-Type": "application/json"}
        if signed:
            key = Key(id=f"{issuer}-1", secret=issuer[0].encode() * 40, issuer=issuer)
            path = "/_monolift/topology"
            token = Signer(key=key).sign(audience=name, method="POST", path=path, body=body)
            headers["Authorization"] = f"Bearer {token}"
        url = f"{self.urls[name]}/_monolift/topology"
        return urllib3.request("POST", url, body=body, headers=headers, retries=False)

    def knows(self, name: str, *, module: str = "stock") -> tuple[int, str]:
        """Epoch, and where a module is, as a deployable sees it."""
        answer = self.ask(name).json()
        return answer["epoch"], answer["places"][module]["deployable"]
