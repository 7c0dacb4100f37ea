"""A chain of three calls between four processes: what happens to it when its last link fails."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest
from pytest_django import Settings

from monolift import Caller, acting_for, deadline, use
from monolift.kernel import Unavailable
from monolift.registry.places import Deployable, Place
from monolift.registry.topology import install, reset, topology
from monolift.transport import peers, trust
from tests.library.calls.warehouse import TOPOLOGY
from tests.library.calls.wire import Wire
from tests.library.deployed import Deployed
from tests.library.world.sales.interface import Sales

LINKS = ("office", "warehouse", "bank")
KEYS = [
    {"id": name, "secret": name * 40, "issuer": name} for name in ("shop", "office", "warehouse")
]
CALLS = 60
MOST = 1.2
TRIALS = 2
"""Of the first link's breaker, until a chain that is well again answers: twice the time that a
breaker is open, however the breakers of the chain have opened one after another."""

sales = use(Sales)


@dataclass(frozen=True)
class Chain:
    """The wires before sales, stock and cards."""

    wires: tuple[Wire, Wire, Wire]

    def count(self) -> list[int]:
        """Requests that were sent over each so far."""
        return [wire.requests for wire in self.wires]


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """The processes, from the last to the first: each is told where the next one is."""
    with ExitStack() as stack:
        wires: list[Wire] = []
        for name, following in ((LINKS[2], ""), (LINKS[1], LINKS[2]), (LINKS[0], LINKS[1])):
            urls = {other: "http://127.0.0.1:1" for other in ("shop", *LINKS) if other != name}
            if following:
                urls[following] = f"http://127.0.0.1:{wires[0].port}"
            made = Deployed(
                tmp_path_factory.mktemp(name),
                name,
                topology=TOPOLOGY.with_name("chain.toml"),
                keys=KEYS,
                urls=urls,
            )
            stack.callback(made.close)
            made.start()
            wires.insert(0, stack.enter_context(Wire(made.port)))
        yield Chain((wires[0], wires[1], wires[2]))


@pytest.fixture
def chain(links: Chain, settings: Settings) -> Iterator[Chain]:
    """Let this process be the shop, at the chain's beginning."""
    settings.MONOLIFT = {**settings.MONOLIFT, "KEYS": KEYS}
    before = topology()
    homes = zip(("sales", "stock", "cards"), LINKS, strict=True)
    places = {module: Place(deployable=name, route="http") for module, name in homes}
    first = {LINKS[0]: Deployable(url=f"http://127.0.0.1:{links.wires[0].port}")}
    install(
        replace(
            before,
            epoch=before.epoch + 1,
            places={**before.places, **places},
            deployables={"shop": Deployable(), **dict.fromkeys(LINKS, Deployable()), **first},
        )
    )
    yield links
    reset()
    peers.forget()
    trust.forget()


def test_user_and_deadline_go_through_all_of_it(chain: Chain) -> None:
    """Case D28: what is left shrinks with each hop."""
    user = Caller(user_id=uuid4())
    with acting_for(user), deadline(seconds=4):
        seen = sales.pass_on()
    assert [(module, whom) for module, whom, _ in seen] == [
        (module, str(user.user_id)) for module in ("sales", "stock", "cards")
    ]
    left = [seconds for _, _, seconds in seen]
    assert 4 > left[0] > left[1] > left[2] > 0


@pytest.mark.parametrize("mode", ["lose answers", "refuse"])
def test_a_last_link_that_fails_is_not_stormed_and_comes_back(chain: Chain, mode: str) -> None:
    """Case D26: no hop is sent more than a fifth more than was asked for; and no state remains."""
    assert len(sales.pass_on()) == 3
    before = chain.count()
    chain.wires[2].mode = mode
    for _ in range(CALLS):
        with pytest.raises(Unavailable):
            sales.pass_on()
    sent = [now - then for now, then in zip(chain.count(), before, strict=True)]
    assert all(count <= MOST * CALLS for count in sent), sent
    assert sent[2], "the last link was asked"

    chain.wires[2].mode = "ok"
    before = chain.count()
    while True:
        try:
            sales.pass_on()
            break
        except Unavailable:
            time.sleep(0.02)
        assert chain.count()[0] - before[0] <= TRIALS
    assert chain.count()[0] - before[0] <= TRIALS
    for _ in range(20):
        assert len(sales.pass_on()) == 3
