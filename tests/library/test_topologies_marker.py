"""The `topologies` marker really changes how modules are reached."""

import pytest

from monolift.registry.topology import topology


@pytest.mark.topologies("local", "loopback")
def test_each_route_is_installed(request: pytest.FixtureRequest) -> None:
    assert topology().place("stock").route in request.node.name


@pytest.mark.topologies("local", "loopback")
@pytest.mark.parametrize("number", [1, 2])
def test_beside_other_parameters(request: pytest.FixtureRequest, number: int) -> None:
    assert topology().place("stock").route in request.node.name
