"""What is worked out from the topology while it changes is not kept for the one that follows."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from monolift.events import relay
from monolift.registry.topology import install, reset, topology
from monolift.sagas import plan
from monolift.transport import serving
from monolift.transport.perform import Target
from tests.library.relaying import moved
from tests.library.world.sales.sagas import Local
from tests.library.world.stock.interface import Stock

TABLES: dict[str, tuple[object, str, Callable[[], object]]] = {
    "who hears an event": (relay, "modules_on", lambda: relay.audience("default").elsewhere),
    "which steps fuse": (plan, "_may_fuse", lambda: len(plan.group_at(Local, 0))),
    "what is served": (
        serving,
        "binding_of",
        lambda: isinstance(serving.operation_of(Stock.interface_name, "levels"), Target),
    ),
}


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    yield
    reset()


@pytest.mark.parametrize("table", TABLES)
def test_it_is_worked_out_anew(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, asked = TABLES[table]
    real = getattr(where, name)

    def and_it_moves(*arguments: object) -> object:
        """The answer is of before, and by the time it is kept the topology is another."""
        answer = real(*arguments)
        monkeypatch.setattr(where, name, real)
        install(moved("stock" if table != "who hears an event" else "sales", "warehouse"))
        return answer

    reset()
    monkeypatch.setattr(where, name, and_it_moves)
    asked()
    kept = asked()
    install(replace(topology(), epoch=topology().epoch + 1))
    assert kept == asked()
