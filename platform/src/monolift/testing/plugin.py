"""The pytest plugin, by entry point: the `topologies` marker and the `scenario` fixture."""

from collections.abc import Iterator
from typing import Any

import pytest

_ROUTES = ("local", "loopback")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers",
        'topologies("local", "loopback"): run the test once over each of these transports.',
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Multiply a marked test over its transports."""
    marker = metafunc.definition.get_closest_marker("topologies")
    if marker is None:
        return
    for route in marker.args:
        if route not in _ROUTES:
            raise pytest.UsageError(
                f"{metafunc.definition.nodeid}: topologies({route!r}) is not one of {_ROUTES}."
            )
    metafunc.fixturenames.append("monolift_route")  # which lets it be parametrized
    metafunc.parametrize("monolift_route", marker.args, indirect=True)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let a marked test use the fixture, first of all: nobody names it as an argument."""
    if isinstance(item, pytest.Function) and item.get_closest_marker("topologies"):
        names = item.fixturenames
        if "monolift_route" not in names:
            names.insert(0, "monolift_route")


@pytest.fixture
def monolift_route(request: pytest.FixtureRequest) -> Iterator[str]:
    """The transport that the running test uses."""
    from monolift.testing.transports import transported

    with transported(request.param):
        yield request.param


@pytest.fixture
def scenario(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Runs relay, handlers, tasks and sagas in the test's own thread and connection.

    Use it with pytest-django's `db` (or `transactional_db`), with every database your modules use.
    The clock is put back at the end.
    """
    from monolift.kernel import clock
    from monolift.observe import matrix
    from monolift.testing.scenario import Scenario

    matrix.clear()
    with clock.travelling():
        yield Scenario()
