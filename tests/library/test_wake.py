"""Wake-ups between processes: a pipe, or PostgreSQL's NOTIFY; and never without a commit."""

import os
import signal as signals
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from monolift.events.wake import Listener, signal, wake_after_commit
from tests.library.running import eventually

COMMITS = """
import sys, django
django.setup()
from django.db import transaction
from monolift.events.wake import wake_after_commit
for line in sys.stdin:
    with transaction.atomic():
        wake_after_commit("default")
        if line.strip() == "rollback":
            transaction.set_rollback(True)
    print("done", flush=True)
"""
LISTENS = """
import sys, django
django.setup()
from monolift.events.wake import Listener
Listener([])
print("listening", flush=True)
sys.stdin.read()
"""


def elsewhere(program: str, *, data: Path, way: str = "pipe") -> subprocess.Popen[str]:
    """A program in another process, on the database of this test."""
    at = connection.settings_dict
    environment = {**os.environ, "MONOLIFT_DATA": str(data), "MONOLIFT_WAKE": way}
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings"
    if connection.vendor == "postgresql":
        environment["MONOLIFT_POSTGRES"] = (
            f"postgresql://{quote(at['USER'])}:{quote(at['PASSWORD'])}"
            f"@{at['HOST']}:{at['PORT']}/{quote(at['NAME'])}"
        )
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def tell(process: subprocess.Popen[str], line: str) -> None:
    """Have the other process do something, and wait until it is done."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    assert process.stdout.readline() == "done\n"


@pytest.fixture
def data(settings: Settings, tmp_path: Path) -> Path:
    """A folder of its own for the pipes of those who listen."""
    settings.MONOLIFT = {**settings.MONOLIFT, "DATA": tmp_path}
    return tmp_path


@pytest.fixture
def listener(data: Path) -> Iterator[Listener]:
    """Somebody who listens in this process for knocks, settled."""
    one = Listener([])
    before = signal.count
    one.start()
    eventually(lambda: signal.count > before, what="the listener is settled")
    yield one
    one.stop()


@pytest.fixture
def committer(data: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that commits when told to."""
    with elsewhere(COMMITS, data=data) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.mark.django_db(transaction=True)
def test_a_commit_elsewhere_wakes_by_pipe(
    listener: Listener, committer: subprocess.Popen[str]
) -> None:
    for _ in range(3):
        seen = signal.count
        tell(committer, "commit")
        eventually(lambda seen=seen: signal.count == seen + 1, what="woken once")


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_wakes_nobody(
    listener: Listener, committer: subprocess.Popen[str]
) -> None:
    seen = signal.count
    tell(committer, "rollback")
    tell(committer, "commit")
    eventually(lambda: signal.count > seen, what="woken by the commit")
    assert signal.count == seen + 1


@pytest.mark.django_db(transaction=True)
def test_a_commit_here_wakes_at_once_and_once(data: Path) -> None:
    seen = signal.count
    with transaction.atomic():
        wake_after_commit("default")
        wake_after_commit("default")
        assert signal.count == seen
    assert signal.count == seen + 1


def test_a_wake_up_before_the_wait_is_not_lost() -> None:
    seen = signal.count
    signal.set()
    signal.wait(seen, timeout=3600)


def test_what_a_killed_worker_left_is_taken_away(data: Path) -> None:
    with elsewhere(LISTENS, data=data) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == "listening\n"
        left = {file.name for file in (data / "wake").iterdir()}
        killed.send_signal(signals.SIGKILL)
        killed.wait(30)
    assert len(left) == 1
    stays = Listener([])
    new = Listener([])
    now = {file.name for file in (data / "wake").iterdir()}
    assert now == {stays._mailbox._file.name, new._mailbox._file.name}
    for one in (stays, new):
        one.start()
        one.stop()
    assert not list((data / "wake").iterdir())


# PostgreSQL ---------------------------------------------------------------------------------------


def backends() -> set[int]:
    """Sessions whose last statement was LISTEN."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND query LIKE 'LISTEN%%'"
        )
        return {pid for (pid,) in cursor.fetchall()}


@pytest.fixture
def notified(data: Path, settings: Settings, transactional_db: None) -> Iterator[Listener]:
    """Somebody who listens to the database, settled."""
    settings.MONOLIFT = {**settings.MONOLIFT, "WAKE": "notify"}
    one = Listener(["default"])
    before = signal.count
    one.start()
    # One wake-up when the session listens, one when the pipe has been listened to for a while.
    eventually(lambda: signal.count == before + 2 and backends(), what="a session listens")
    yield one
    one.stop()
    for listener in one._notifications:
        listener.join(30)


@pytest.mark.postgresql
def test_a_commit_elsewhere_wakes_by_notification(notified: Listener, data: Path) -> None:
    with elsewhere(COMMITS, data=data, way="notify") as process:
        seen = signal.count
        tell(process, "commit")
        eventually(lambda: signal.count > seen, what="woken")
        assert process.stdin is not None
        process.stdin.close()


@pytest.mark.postgresql
def test_listening_survives_the_loss_of_its_session(notified: Listener, data: Path) -> None:
    (before,) = backends()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [before])
    eventually(lambda: backends() - {before}, what="another session listens")
    seen = signal.count
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY monolift")
    eventually(lambda: signal.count > seen, what="woken")
