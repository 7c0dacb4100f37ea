"""Run a command beside a throw-away PostgreSQL server: `with_postgresql.py COMMAND...`.

The server listens on a free port of 127.0.0.1, keeps its data in a temporary folder without
fsync, and is gone when the command ends. The command finds it in DATABASE_URL. A DATABASE_URL that
is already set wins: then no server is started. Exits with the command's status.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from monolift.supervise.preflight import any_free_port

# Logical replication is what a lift copies with; the rest makes a server for tests fast.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "log_min_messages": "fatal",
    "max_connections": "200",
    "max_replication_slots": "20",
    "max_wal_senders": "20",
    "synchronous_commit": "off",
    "unix_socket_directories": "",
    "wal_level": "logical",
}


def program(name: str) -> str:
    """The path of a server program: from PATH, else the newest of Debian's versions."""
    if found := shutil.which(name):
        return found
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    if newest := max(versions, key=lambda path: float(path.parts[-3]), default=None):
        return str(newest)
    sys.exit(
        f"{name} is missing. Install PostgreSQL 15 or later (Debian, Ubuntu: apt-get install "
        "postgresql), or set DATABASE_URL to a server that is already there."
    )


def server_account() -> str | None:
    """The account the server runs as; PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        sys.exit("PostgreSQL refuses to run as root. Add a user named postgres, or be another one.")


# What a server for measurements does not do without.
DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}


@contextlib.contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """A running server; gives its URL. A `durable` one keeps what it has committed."""
    account = server_account()
    folder = tempfile.mkdtemp(prefix="monolift-postgresql-")
    if account:
        shutil.chown(folder, account, pwd.getpwnam(account).pw_gid)
    port = any_free_port()
    data = f"{folder}/data"

    def call(*command: str) -> None:
        # Its own session: Ctrl-C ends the command first, the server after it.
        done = subprocess.run(
            command,
            user=account,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout}")

    settings = SETTINGS | (DURABLE if durable else {})
    options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
    log = f"{folder}/log"
    started = False
    try:
        call(program("initdb"), "--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", data)
        control = program("pg_ctl")
        call(control, "-D", data, "-l", log, "-o", f"-p {port} {options}", "-w", "start")
        started = True
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        if started:
            call(program("pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def main(command: list[str]) -> int:
    """Run `command` with DATABASE_URL set, and return its exit status."""
    if not command:
        sys.exit(__doc__)
    if os.environ.get("DATABASE_URL"):
        return subprocess.run(command, check=False).returncode
    # A terminated run must stop its server too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with server() as url:
        child = subprocess.Popen(command, env=os.environ | {"DATABASE_URL": url})
        try:
            return child.wait()
        except KeyboardInterrupt:
            return child.wait()
        except SystemExit:
            child.terminate()
            child.wait()
            raise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
