"""The throw-away server of `make test-postgresql`: there during the command, gone after it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "with_postgresql.py"
ASK = (
    "import os, psycopg; url = os.environ['DATABASE_URL']; "
    "print(url, psycopg.connect(url).execute('show wal_level').fetchone()[0], flush=True); "
)

pytestmark = pytest.mark.skipif(
    not (shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))),
    reason="PostgreSQL is not installed",
)


def start(code: str, **variables: str) -> subprocess.Popen[str]:
    """The script, running a piece of Python beside a server."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return subprocess.Popen(
        [sys.executable, SCRIPT, sys.executable, "-c", code],
        env=environment | variables,
        stdout=subprocess.PIPE,
        text=True,
    )


def assert_gone(url: str) -> None:
    """Nobody listens at `url` any more."""
    address = urlsplit(url)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname or "", address.port or 0))


def test_the_command_finds_a_server_and_its_status_comes_back() -> None:
    process = start(ASK + "raise SystemExit(3)")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 3
    url, level = output.split()
    assert level == "logical"
    assert_gone(url)


def test_a_terminated_run_stops_its_server() -> None:
    process = start(ASK + "import time; time.sleep(60)")
    assert process.stdout is not None
    url = process.stdout.readline().split()[0]
    psycopg.connect(url).close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) != 0
    process.stdout.close()
    assert_gone(url)


def test_a_server_that_is_already_there_is_used() -> None:
    process = start("import os; print(os.environ['DATABASE_URL'])", DATABASE_URL="postgresql://a/b")
    output, _ = process.communicate(timeout=30)
    assert output.strip() == "postgresql://a/b"
