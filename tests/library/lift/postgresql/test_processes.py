"""Nothing is copied before every process that lives knows where to."""

import subprocess

import pytest

from monolift.lift.moving import Blocked
from monolift.lift.plan import processes
from monolift.lift.plan.processes import await_known
from monolift.lift.plan.stage import Lift
from monolift.lift.plan.stages.copy import Copy
from monolift.truth import presence
from tests.library.lift.postgresql.places import Places
from tests.library.lift.postgresql.test_killed import tool
from tests.library.running import eventually


def follower(world: Places, without: str = "") -> subprocess.Popen[str]:
    """A process that has reported."""
    begun = tool(world, "follow", without=without, stdin=subprocess.PIPE)
    eventually(lambda: begun.pid in [one.pid for one in presence.alive()])
    return begun


def test_a_process_that_does_not_know_the_target_keeps_the_copy_from_beginning(
    world: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sealed()
    process = follower(world, without="stock_away")
    try:
        monkeypatch.setattr(
            processes.await_known, "__kwdefaults__", {"within": 1.0}
        )  # not until it may be forgotten
        with pytest.raises(
            Blocked, match=rf"process {process.pid} on .* does not know .*'stock_away'.* it anew"
        ):
            Copy().gate(Lift(module="stock", evidence={}))
    finally:
        process.communicate()
    world.do("UPDATE monolift_process SET seen_at = seen_at - interval '1 minute'")  # it is over
    Copy().gate(Lift(module="stock", evidence={}))


def test_who_knows_the_target_and_has_heard_the_news_is_in_nobodys_way(world: Places) -> None:
    process = follower(world)
    try:
        world.sealed()  # an epoch that it has yet to hear of
        await_known("stock_away")
        [known] = presence.alive()
        assert known.pid == process.pid
        assert known.epoch == 1
    finally:
        process.communicate()


def test_a_process_that_has_not_heard_the_news_is_named(world: Places) -> None:
    world.sealed()
    world.do(
        "INSERT INTO monolift_process (id, deployable, epoch, databases, seen_at) "
        "VALUES ('host-1:7', 'shop', 0, '[\"stock_away\"]', now())"
    )
    with pytest.raises(Blocked, match=r"process 7 on host-1 .shop. knows epoch 0 .* 1 is"):
        await_known("stock_away", within=0.0)
