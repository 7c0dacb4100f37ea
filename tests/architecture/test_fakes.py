"""Whoever is required by others has a fake for them, and the fake has every operation."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from modules.inventory.fakes import FakeInventory
from modules.inventory.interface import Inventory, Sku
from monolift.kernel import operations_of
from monolift.registry.modules import modules
from monolift.testing.alone import fake_of

REQUIRED = [
    interface
    for label, module in sorted(modules().items())
    if module.name.startswith("modules.") and label != "notifications"  # which nobody requires
    for interface in module.provides
]


@pytest.mark.parametrize("interface", REQUIRED, ids=lambda one: one.interface_name)
def test_a_fake_has_every_operation(interface: type) -> None:
    fake = type(fake_of(interface))
    assert interface in fake.__mro__
    assert operations_of(interface).keys() <= vars(fake).keys()


def test_a_fake_is_called_by_one_thread_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most = 0, 0

    def available(_: FakeInventory, *, skus: Sequence[Sku]) -> Mapping[Sku, int]:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.02)
        inside -= 1
        return dict.fromkeys(skus, 0)

    monkeypatch.setattr(FakeInventory, "available", available)
    fake = fake_of(Inventory)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: fake.available(skus=[]), range(4)))
    assert most == 1
