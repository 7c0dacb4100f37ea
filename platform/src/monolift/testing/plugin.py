"""The pytest plugin, by entry point: markers, `--only-module`, and the `scenario` fixture."""

from collections.abc import Iterator
from typing import Any

import pytest

_ROUTES = ("local", "loopback")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--only-module`."""
    parser.addoption(
        "--only-module",
        metavar="LABEL",
        help="boot this module alone, with fakes for what it requires, and run its tests",
    )
    parser.addini(
        "monolift_module_tests",
        "where the tests of a module are, for --only-module",
        default="tests/modules/{module}",
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Leave the other modules out, before pytest-django sets Django up."""
    label = early_config.known_args_namespace.only_module
    if label:
        from monolift.testing.alone import NotAlone, install_only
        from monolift.testing.counting import count_processes

        count_processes()

        install_only(label)
        try:
            return (yield)
        except NotAlone as error:
            raise pytest.UsageError(str(error)) from None
    return (yield)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs the real neighbours of the module that runs alone."""
    if config.getoption("only_module"):
        left_out = [item for item in items if item.get_closest_marker("together")]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item not in left_out]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember that a module passed its tests alone, for `monolift smells`."""
    label = session.config.getoption("only_module")
    if not label or exitstatus != pytest.ExitCode.OK or hasattr(session.config, "workerinput"):
        return
    import time

    from monolift.lift.advice.tested import AloneRun, keep
    from monolift.testing.counting import processes

    tested = AloneRun(at=time.time(), tests=session.testscollected, processes=processes())
    try:
        keep(session.config.rootpath, label, tested)
    except OSError:
        pass  # a checkout that cannot be written to; nobody is told, and nothing else is lost


@pytest.fixture(autouse=True)
def monolift_fakes(request: pytest.FixtureRequest) -> Iterator[None]:
    """Forget what fakes announced; with `--only-module`, fresh fakes for what it requires."""
    from monolift.testing.announcing import announced

    announced.clear()
    if not request.config.getoption("only_module"):
        yield
        return
    from monolift.testing.alone import faked

    with faked():
        yield


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, and find the tests of the module that runs alone."""
    from monolift.registry.topology import heed

    heed(False)  # the file says where modules are: no row of a database that is not the tests'
    label = config.getoption("only_module")
    if label and config.args_source is not pytest.Config.ArgsSource.ARGS:
        folder = str(config.getini("monolift_module_tests")).format(module=label)
        if not (config.rootpath / folder).is_dir():
            raise pytest.UsageError(
                f"--only-module {label}: {folder} does not exist. Name the tests, or set "
                "monolift_module_tests in the ini file."
            )
        config.args[:] = [folder]
    config.addinivalue_line(
        "markers",
        "together: needs other modules as they are; left out with --only-module.",
    )
    config.addinivalue_line(
        "markers",
        'topologies("local", "loopback", fake=None): run the test once over each of these '
        "transports, and once with the fake of an interface in the place of its module.",
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
    routes = [*marker.args]
    if fake := marker.kwargs.get("fake"):
        routes.append(pytest.param(fake, id="fake"))
    metafunc.fixturenames.append("monolift_route")  # which lets it be parametrized
    metafunc.parametrize("monolift_route", routes, indirect=True)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let a marked test use the fixture, first of all: nobody names it as an argument."""
    if isinstance(item, pytest.Function) and item.get_closest_marker("topologies"):
        names = item.fixturenames
        if "monolift_route" not in names:
            names.insert(0, "monolift_route")


@pytest.fixture
def monolift_route(request: pytest.FixtureRequest) -> Iterator[str]:
    """The transport that the running test uses; `fake` when a fake answers."""
    if not isinstance(request.param, str):
        from monolift.registry.proxies import override
        from monolift.testing.alone import fake_of

        with override(request.param, fake_of(request.param)):
            yield "fake"
        return
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
