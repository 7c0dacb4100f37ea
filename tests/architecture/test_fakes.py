"""Whoever is required by others has a fake for them, and the fake has every operation."""

import pytest

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
