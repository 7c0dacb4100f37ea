"""Real servers for tests: started on free loopback ports, stopped at the end by their process id."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

_POSTGRES_HOMES = ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt")


def free_port() -> int:
    """A loopback port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgres_programs() -> Path | None:
    """The folder of PostgreSQL's server programs; None when it is not installed."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    for home in _POSTGRES_HOMES:
        folders = sorted(Path(home).glob("*/bin/initdb"))
        if folders:
            return folders[-1].parent
    return None


def redis_program() -> str | None:
    """Redis's server program; None when it is not installed."""
    return shutil.which("redis-server")


def chromium_program() -> str | None:
    """Chromium; None when it is not installed."""
    return next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )


def start_postgres(*, fsync: bool = False) -> str:
    """Start a PostgreSQL cluster of its own; its URL. It is stopped and removed at exit."""
    programs = postgres_programs()
    if programs is None:
        raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="monolift-postgres-"))
    data, port = folder / "data", free_port()
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    options = f"-p {port} -k {folder} -h 127.0.0.1 -c max_connections=200"
    if not fsync:
        options += " -c fsync=off -c full_page_writes=off -c synchronous_commit=off"
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    initdb = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    subprocess.run([*as_user, *initdb], check=True, env=environment, stdout=subprocess.DEVNULL)
    control = [*as_user, programs / "pg_ctl", "-D", data, "-w"]
    subprocess.run(
        [*control, "-l", folder / "log", "-o", options, "start"],
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    owner = os.getpid()

    def stop() -> None:
        if os.getpid() != owner:
            return
        subprocess.run(
            [*control, "-m", "immediate", "stop"], check=False, stdout=subprocess.DEVNULL
        )
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    return f"postgresql://postgres@127.0.0.1:{port}/monolift"


def start_redis() -> str:
    """Start a Redis server that keeps nothing on disk; its URL. It is stopped at exit."""
    program = redis_program()
    if program is None:
        raise RuntimeError("Redis is not installed: apt-get install redis-server")
    port = free_port()
    server = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    )
    owner = os.getpid()

    def stop() -> None:
        if os.getpid() == owner and server.poll() is None:
            server.send_signal(signal.SIGTERM)
            server.wait(10)

    atexit.register(stop)
    return f"redis://127.0.0.1:{port}/0"
