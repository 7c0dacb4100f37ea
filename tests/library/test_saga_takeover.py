"""Case B17: a worker that was paused beyond its lease, while another went on with its saga."""

import threading
from collections.abc import Callable

import pytest
from django.db import connections
from pytest_django import Settings

from monolift.registry.sql import execute, fetch
from monolift.registry.topology import topology
from monolift.sagas import record, runtime
from tests.library.world.cards.services import network
from tests.library.world.sales.models import Sale
from tests.library.world.sales.sagas import Selling
from tests.library.world.stock import faults
from tests.library.world.stock.interface import Level, Stock

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

PLACES = [
    place + moment
    for place in ("hold_first", "hold_second", "authorise", "capture")
    for moment in ("", ".after")
]


@pytest.fixture(autouse=True)
def _unfused(settings: Settings) -> None:
    """Steps run outside transactions, where a worker can be paused for long."""
    settings.MONOLIFT = {**settings.MONOLIFT, "FUSION": False}


def alias() -> str:
    return topology().alias("sales")


def taken_over(ended: list[bool]) -> Callable[[], None]:
    """Be paused here: the lease ends, and another worker runs the saga to its end."""

    def work() -> None:
        try:
            execute(alias(), "UPDATE monolift_saga SET lease_until = '2020-01-01 00:00:00+00:00'")
            ended.append(runtime.run_next(alias()))
        finally:
            connections.close_all()

    def pause() -> None:
        faults.planned.clear()
        other = threading.Thread(target=work)
        other.start()
        other.join()

    return pause


def status_of(key: str) -> list[tuple[str, str]]:
    return [
        (status, state)
        for status, state in fetch(
            alias(), "SELECT status, progress FROM monolift_saga WHERE key = %s", (key,)
        )
    ]


@pytest.mark.parametrize("place", PLACES)
def test_who_was_paused_writes_nothing_more(stock: Stock, place: str) -> None:
    ended: list[bool] = []
    Selling.start(key="1")
    faults.planned[place] = [taken_over(ended)]
    runtime.run_next(alias())
    assert ended == [True], "the other one had it"
    ((status, progress),) = status_of("1")
    assert status == "done"
    assert "crashed" in progress, "whoever takes over says so"
    assert stock.levels(skus=["a", "b"]) == {
        "a": Level(left=9, held=1),
        "b": Level(left=8, held=2),
    }
    assert network().states() == ["captured"]
    assert Sale.objects.get().state == "closed"


def test_without_the_fencing_token_what_was_done_would_be_overwritten(
    stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: a save that names no token lets the paused worker write."""
    save = record.execute

    def without_token(on: str, sql: str, parameters: tuple[object, ...] = ()) -> int:
        if sql.endswith("WHERE module = %s AND id = %s AND token = %s"):
            sql, parameters = sql.removesuffix(" AND token = %s"), parameters[:-1]
        return save(on, sql, parameters)

    monkeypatch.setattr(record, "execute", without_token)
    ended: list[bool] = []
    Selling.start(key="1")
    faults.planned["authorise.after"] = [taken_over(ended)]
    runtime.run_next(alias())
    ((_, progress),) = status_of("1")
    assert "crashed" not in progress, "its history was lost"
