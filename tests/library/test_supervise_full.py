"""`monolift run --stack full`: PostgreSQL, Redis and Celery, as real processes."""

import contextlib
import os
import pickle
import signal
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from celery import Celery

from monolift.supervise.preflight import Refused
from monolift.supervise.programs import program
from monolift.supervise.stacks import THREADS
from tests.library.running import (
    ROOT,
    Running,
    alive,
    environment,
    eventually,
    monolift,
    python,
    running,
)


def _missing() -> str:
    for name in ("initdb", "postgres", "redis-server"):
        try:
            program(name)
        except Refused as error:
            return str(error)
    return ""


needs_servers = pytest.mark.skipif(bool(_missing()), reason=_missing() or "all installed")


class Full:
    """A run on the full stack, with a way into its database and its broker."""

    def __init__(self, run: Running) -> None:
        self.run = run
        folder = run.data / "postgres"
        # The port is in the fourth line of the file (PostgreSQL, "Database File Layout").
        port = (folder / "data" / "postmaster.pid").read_text().splitlines()[3]
        password = (folder / "password").read_text()
        self.database = f"postgresql://shop:{password}@127.0.0.1:{port}/shop"
        redis = next(pid for pid in run.look() if b"redis-server" in _arguments(pid)[0])
        self.redis = f"redis://{_arguments(redis)[0].split()[1].decode()}/0"
        self.broker = Celery("tests", broker=self.redis, set_as_current=False)

    def publish(self, quantity: int) -> None:
        """Announce an event in a process of its own."""
        python(
            f"""
from monolift import atomic, publish
from tests.library.world.stock.events import Filled
with atomic(module="stock"):
    publish(Filled(sku="a", quantity={quantity}))
""",
            {
                **self.run.env,
                "MONOLIFT_DATA": str(self.run.data),
                "MONOLIFT_POSTGRES": self.database,
                "MONOLIFT_EXECUTOR": "celery",
                "REDIS_URL": self.redis,
            },
        )

    def ask(self, sql: str) -> list[str]:
        """The first column of a query."""
        with psycopg.connect(self.database) as connection:
            return [row[0] for row in connection.execute(sql)]

    def handled(self, quantity: int) -> bool:
        """True when the handler of that event has committed."""
        return f"a:{quantity}" in self.ask("SELECT key FROM sales_mail")

    def hints(self) -> int:
        """Messages that wait for sales."""
        with self.broker.connection_for_read() as connection:
            return int(connection.default_channel.client.llen("sales"))

    def celery(self) -> set[int]:
        """Celery's processes."""
        return {pid for pid in self.run.look() if b"celery" in _arguments(pid)}

    @contextlib.contextmanager
    def celery_frozen(self) -> Iterator[None]:
        """Celery neither takes messages nor ends."""
        frozen = self.celery()
        assert frozen
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)


def _arguments(pid: int) -> list[bytes]:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return [b""]


@pytest.fixture(scope="module")
def full() -> Iterator[Full]:
    """One full stack for all tests of this file."""
    with running("--stack", "full", "--no-sample", DJANGO_SETTINGS_MODULE="tests.settings") as run:
        run.wait_until_ready()
        yield Full(run)


@needs_servers
def test_an_event_reaches_its_handler_through_celery(full: Full) -> None:
    with full.celery_frozen():
        full.publish(1)
        eventually(full.hints, what="the worker has sent a hint")
        assert not full.handled(1)
        due = "SELECT state FROM monolift_delivery WHERE attempts = 0 AND module <> 'orders'"
        assert full.ask(due) == ["pending"]  # beside the shop's tasks of the night
    eventually(lambda: full.handled(1), what="Celery ran the handler")


@needs_servers
def test_it_does_after_redis_was_flushed(full: Full) -> None:
    with full.celery_frozen():
        full.publish(2)
        eventually(full.hints, what="the worker has sent a hint")
        with full.broker.connection_for_write() as connection:
            connection.default_channel.client.flushall()
    eventually(lambda: full.handled(2), what="Celery ran the handler after a new hint")


@needs_servers
def test_it_does_after_redis_was_killed(full: Full) -> None:
    redis = next(pid for pid in full.run.look() if b"redis-server" in _arguments(pid)[0])
    os.kill(redis, signal.SIGKILL)
    full.publish(3)
    eventually(lambda: full.handled(3), what="Celery ran the handler after Redis came back")


@needs_servers
def test_it_does_after_celery_was_killed(full: Full) -> None:
    before = full.celery()
    os.kill(min(before), signal.SIGKILL)
    full.publish(4)
    eventually(lambda: full.handled(4), what="a new Celery ran the handler")
    eventually(lambda: not any(alive(pid) for pid in before), what="the old one is gone whole")


class _Trap:
    """Runs code when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> object:
        return (Path.touch, (self.file,))


@needs_servers
def test_a_pickle_in_the_queue_is_refused(full: Full, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    with full.broker.connection_for_write() as connection, connection.Producer() as producer:
        producer.publish(
            pickle.dumps(_Trap(trap)),
            routing_key="sales",
            exchange="",
            content_type="application/x-python-serialize",
            content_encoding="binary",
            headers={"task": "monolift.work", "id": "1"},
        )
    full.publish(5)
    eventually(lambda: full.handled(5), what="Celery goes on behind it")
    eventually(lambda: full.hints() == 0, what="the queue is empty")
    assert not trap.exists()
    assert "Refusing to deserialize" in full.run.errors
    assert pickle.loads(pickle.dumps(_Trap(trap))) is None
    assert trap.exists(), "the trap itself works"


@needs_servers
def test_every_thread_may_keep_a_connection_to_each_database_of_a_lift(full: Full) -> None:
    lifted = tomllib.loads((ROOT / "config/topology.toml").read_text())["databases"]
    databases = 1 + 2 * len(lifted)  # by the module's role, and the one it goes to
    assert int(full.ask("SHOW max_connections")[0]) >= THREADS * databases


@needs_servers
def test_the_databases_password_is_for_its_owner_only(full: Full) -> None:
    folder = full.run.data / "postgres"
    assert (folder / "password").stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(full.database.replace("shop:", "shop:not"), connect_timeout=5)
    password = (folder / "password").read_text()
    assert password not in full.run.output + full.run.errors


@needs_servers
def test_a_signal_ends_it_and_the_next_run_finds_its_data() -> None:
    env = {"DJANGO_SETTINGS_MODULE": "tests.settings", "MONOLIFT_DATABASES": "each"}
    with running("--stack", "full", "--no-sample", **env) as run:
        run.wait_until_ready()
        Full(run).publish(1)
        assert run.stop(signal.SIGTERM) == 0
        assert run.left() == {}
        assert "is killed" not in run.output
        folder = run.data.parent
        with contextlib.closing(_Again(run)) as again:
            again.run.wait_until_ready()
            url = Full(again.run).database
            with psycopg.connect(url.removesuffix("shop") + "shop_sales") as connection:
                eventually(
                    lambda: (
                        connection.execute("SELECT key FROM sales_mail").fetchall() == [("a:1",)]
                        or connection.rollback()
                    )
                )
            again.run.stop(signal.SIGKILL)
            eventually(lambda: not again.run.left(), seconds=20, what="every process ended")
    assert not folder.exists()


class _Again:
    """A second run in the folder of another one."""

    def __init__(self, run: Running) -> None:
        self.run = Running(
            run.data.parent, "--stack", "full", "--no-sample",
            DJANGO_SETTINGS_MODULE="tests.settings", MONOLIFT_DATABASES="each",
        )  # fmt: skip

    def close(self) -> None:
        self.run.clean_up()


def test_missing_servers_are_named_with_what_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monolift.supervise.programs._FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused) as refused:
        program("redis-server")
    install = "brew install" if sys.platform == "darwin" else "apt-get install postgresql redis"
    assert install in str(refused.value)
    assert "redis-server is missing" in str(refused.value)


@needs_servers
@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")
def test_a_folder_that_the_servers_account_cannot_enter_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    env = environment()
    done = monolift("run", "--stack", "full", "--data", str(closed / "var"), env=env)
    assert done.returncode == 1
    assert "who cannot enter" in done.stderr
    assert done.stderr.count("\n") == 1
