"""Interfaces as OpenAPI documents."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from monolift.contracts.openapi import document
from monolift.kernel import operations_of
from monolift.registry.modules import modules
from tests.library.world.stock.interface import Stock

PROVIDED = [one for module in modules().values() for one in module.provides]
HOLD = "/_monolift/calls/stock.stock.v1/hold"


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(found := value.get("$ref"), str):
            yield found
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from references(part)


@pytest.mark.parametrize("interface", PROVIDED, ids=lambda one: one.interface_name)
def test_every_interface_has_a_document_that_is_whole(interface: Any) -> None:
    made = json.loads(json.dumps(document(interface)))
    there = {f"#/components/schemas/{name}" for name in made["components"]["schemas"]}
    assert set(references(made)) <= there
    names = {path["post"]["operationId"] for path in made["paths"].values()}
    assert names == {operation.name for operation in operations_of(interface).values()}


def test_a_command_is_described_with_its_key_and_its_refusals() -> None:
    hold = document(Stock)["paths"][HOLD]["post"]
    assert [one["name"] for one in hold["parameters"]][:2] == ["key", "repeated"]
    body = hold["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["quantity", "sku"]
    refusal = hold["responses"]["409"]["content"]["application/json"]["schema"]
    assert refusal["properties"]["code"] == {"const": "stock.sold_out"}
    levels = document(Stock)["paths"][HOLD.replace("hold", "levels")]["post"]
    assert "key" not in [one["name"] for one in levels["parameters"]]


def test_the_verb_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("monolift", "openapi", "stock", "--output", str(tmp_path / "stock.json"))
    written = json.loads((tmp_path / "stock.json").read_text())
    assert written["info"]["title"] == "stock.stock.v1"
    call_command("monolift", "openapi", "stock")
    assert json.loads(capsys.readouterr().out) == written


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["stok"], "There is no module 'stok'. Installed: "),
        (["storefront"], "It provides none"),
        (["stock", "--interface", "stock.x.v1"], "It provides stock.stock.v1"),
    ],
    ids=["module", "none", "interface"],
)
def test_what_is_not_there_is_named(arguments: list[str], problem: str) -> None:
    with pytest.raises(CommandError, match=problem):
        call_command("monolift", "openapi", *arguments)
