"""The shop in three deployables on the full stack: events between them go by Redis Streams."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
import redis as redis_py

from monolift.events.streams.redis import stream_key
from tests.journeys.test_topologies import SLOW, Shopper, environment_of, stocked
from tests.library.running import (
    ROOT,
    Running,
    command_line,
    environment,
    eventually,
    running,
)
from tests.library.test_supervise_full import Full, needs_servers


@pytest.fixture(scope="module")
def shop() -> Iterator[Running]:
    """The shop, running."""
    with running(
        "--stack",
        "full",
        "--topology",
        str(ROOT / "config/topology.split.toml"),
        DJANGO_SETTINGS_MODULE="tests.journeys.hurried",
    ) as run:
        eventually(
            lambda: run.process.poll() is not None or "Ctrl-C stops" in run.output,
            seconds=2 * SLOW,
            what="all that runs in three deployables",
        )
        assert run.process.poll() is None, run.errors[-3000:]
        yield run
        assert run.stop(seconds=90) == 0
        assert run.left() == {}


@contextlib.contextmanager
def frozen_worker(run: Running, deployable: str) -> Iterator[None]:
    """Nobody reads the streams for it."""
    workers = [
        pid
        for pid in run.look()
        if environment_of(pid).get("MONOLIFT_DEPLOYABLE") == deployable
        and "monolift worker" in command_line(pid)
    ]
    assert workers
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)


def sagas(full: Full) -> list[str]:
    """How the sagas of the shop are."""
    with psycopg.connect(full.database.removesuffix("shop") + "split_shop") as connection:
        return [row[0] for row in connection.execute("SELECT status FROM monolift_saga")]


@needs_servers
def test_redis_is_killed_and_emptied_while_an_event_is_on_its_way(shop: Running) -> None:
    """What the order waits for is delayed. It ends, and its mails go out, each once."""
    full = Full(shop)
    server = redis_py.Redis.from_url(full.redis, socket_timeout=5)
    shopper = Shopper(shop)
    with contextlib.ExitStack() as thawing:
        # Until the order waits for its parcel, that is not announced; from then on nobody reads.
        with frozen_worker(shop, "warehouse"):
            status, order = shopper.buy(stocked(shop), 2)
            assert (status, order["state"]) == (201, "paid"), order
            eventually(lambda: sagas(full) == ["waiting"], what="the order waits for its parcel")
            thawing.enter_context(frozen_worker(shop, "shop"))
        eventually(lambda: server.xlen(stream_key("shipping")), what="the parcel is announced")
        victim = next(pid for pid in shop.look() if "redis-server" in command_line(pid))
        os.kill(victim, signal.SIGKILL)

        def anew() -> bool:
            with contextlib.suppress(redis_py.RedisError):
                return bool(server.ping())
            return False

        eventually(anew, what="Redis is started again")
        server.flushall()
    eventually(
        lambda: shopper.send("GET", f"/orders/{order['id']}")[1]["state"] == "shipped",
        seconds=120,
        what="the order is on its way",
    )

    def mails() -> list[str]:
        letters = [letter.read_text() for letter in shop.data.glob("*/shop/mail/*.log")]
        return [text for text in letters if order["number"] in text]

    eventually(lambda: len(mails()) == 2, what="a mail that it is paid, and one that it is sent")
    eventually(lambda: sagas(full) == ["done"], what="the saga's end")
    server.close()


@pytest.mark.parametrize("kind", ["redis", "kafka", "pigeon"])
def test_a_stream_without_an_address_is_refused(kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import config.settings"],
        cwd=ROOT,
        env=environment(MONOLIFT_STREAM=kind),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    told = done.stderr.splitlines()[-1]
    assert f"MONOLIFT_STREAM is {kind!r}: " in told
    assert ("choose from" if kind == "pigeon" else "set MONOLIFT_STREAM_URL") in told
