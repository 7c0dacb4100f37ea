"""PostgreSQL and Redis for one project on one machine, with their data in its data folder."""

import os
import secrets
import subprocess
from pathlib import Path
from signal import SIGINT
from urllib.parse import quote

from monolift.supervise.preflight import Refused, any_free_port
from monolift.supervise.processes import Recipe
from monolift.supervise.programs import program

_USER = "shop"
_DATABASE = "shop"
_CHECKPOINT = 60.0
"""Seconds to write to disk what is in memory: cut short, the next start has to recover."""
# Logical replication is what a lift copies tables with.
# Each thread keeps a connection to every database that it has asked, and a lift has two for its
# module.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "wal_level": "logical",
    "wal_retrieve_retry_interval": "500ms",  # so that a feed which has rested goes on soon
    "shared_buffers": "64MB",
    "max_connections": "500",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
}


class PostgreSQL:
    """A server whose cluster is `folder`/postgres, made on first use; a password guards it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "postgres"
        self._cluster = self._folder / "data"
        self._password_file = self._folder / "password"
        self._account = _account()
        self.port = any_free_port()

    @property
    def url(self) -> str:
        """What clients connect to. It holds the password."""
        password = quote(self._password_file.read_text().strip(), safe="")
        return f"postgresql://{_USER}:{password}@127.0.0.1:{self.port}/{_DATABASE}"

    def prepare(self) -> None:
        """Make the cluster when there is none; Refused when that fails."""
        version_file = self._cluster / "PG_VERSION"
        if version_file.exists():
            self._check_version(version_file.read_text().strip())
            return
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._password_file.write_text(secrets.token_urlsafe(24))
        self._password_file.chmod(0o600)
        if self._account:
            import shutil

            for path in (self._folder, self._password_file):
                shutil.chown(path, self._account, self._account)
            self._check_reachable()
        # A cluster that was half made is made again: only a whole one has the name.
        half_made = self._folder / "half-made"
        self._call("rm", "-rf", str(half_made))
        self._call(
            str(program("initdb")), "--no-locale", "--encoding=UTF8", "--auth=scram-sha-256",
            f"--username={_USER}", f"--pwfile={self._password_file}", "--pgdata", str(half_made),
        )  # fmt: skip
        half_made.rename(self._cluster)

    def recipe(self) -> Recipe:
        """How to start it. SIGINT is its fast shutdown: it waits for nobody."""
        options = [f"-c{name}={value}" for name, value in _SETTINGS.items()]
        version = (self._cluster / "PG_VERSION").read_text().strip()
        return Recipe(
            "postgres",
            [
                str(program("postgres", version=version)),
                "-D", str(self._cluster), "-p", str(self.port), *options,
            ],
            folder=self._folder,
            account=self._account,
            stop_signal=SIGINT,
            log=self._folder / "log",
            drain=_CHECKPOINT,
        )  # fmt: skip

    def ready(self) -> bool:
        """True once it takes connections; the database then exists."""
        asked = subprocess.run(
            [program("pg_isready"), "--quiet", "--host=127.0.0.1", f"--port={self.port}"],
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if asked.returncode:
            return False
        made = subprocess.run(
            [
                program("createdb"), "--host=127.0.0.1", f"--port={self.port}",
                f"--username={_USER}", "--no-password", "--maintenance-db=postgres", _DATABASE,
            ],
            env={**os.environ, "PGPASSWORD": self._password_file.read_text().strip()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        if made.returncode and "already exists" not in made.stderr:
            raise Refused(f"The database {_DATABASE} cannot be made: {_last_line(made.stderr)}")
        return True

    @property
    def log(self) -> Path:
        """The file it writes to."""
        return self._folder / "log"

    def _check_version(self, made_by: str) -> None:
        server = program("postgres", version=made_by)
        answer = subprocess.run([server, "--version"], capture_output=True, text=True, check=False)
        present = answer.stdout.split()[-1] if answer.stdout.split() else "unknown"
        if "(PostgreSQL)" in answer.stdout:
            present = answer.stdout.split("(PostgreSQL)")[1].split()[0]
        if present.partition(".")[0] != made_by:
            raise Refused(
                f"{self._cluster} was made by PostgreSQL {made_by}, but {server} is {present}. "
                f"Install PostgreSQL {made_by}, or choose another folder with --data."
            )

    def _check_reachable(self) -> None:
        entered = subprocess.run(
            ["test", "-w", str(self._folder)], user=self._account, extra_groups=[], check=False
        )
        if entered.returncode:
            raise Refused(
                f"PostgreSQL refuses root and runs as the user {self._account}, who cannot enter "
                f"{self._folder}. Choose another folder with --data (make run DATA=...), or run "
                "it as a user of your own."
            )

    def _call(self, *command: str) -> None:
        done = subprocess.run(
            command,
            user=self._account,
            extra_groups=[] if self._account else None,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Refused(f"{' '.join(command[:1])} failed: {_last_line(done.stderr)}")


class Redis:
    """Between workers, and between deployables. It keeps nothing on disk: what it loses is sent
    again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "redis"
        self.port = any_free_port()

    @property
    def url(self) -> str:
        """What clients connect to."""
        return f"redis://127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        """Make its folder."""
        program("redis-server")
        self._folder.mkdir(exist_ok=True)

    def recipe(self) -> Recipe:
        """How to start it."""
        return Recipe(
            "redis",
            [
                str(program("redis-server")), "--port", str(self.port), "--bind", "127.0.0.1",
                "--dir", str(self._folder), "--save", "", "--appendonly", "no",
                "--loglevel", "warning",
            ],
            folder=self._folder,
            log=self._folder / "log",
        )  # fmt: skip

    def ready(self) -> bool:
        """True once it takes connections."""
        import socket

        try:
            with socket.create_connection(("127.0.0.1", self.port), 1.0) as link:
                link.sendall(b"PING\r\n")
                return link.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    @property
    def log(self) -> Path:
        """The file it writes to."""
        return self._folder / "log"


def _account() -> str | None:
    """The account PostgreSQL runs as: it refuses root."""
    if os.geteuid() != 0:
        return None
    import pwd

    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise Refused(
            "PostgreSQL refuses to run as root, and there is no user named postgres. Add one, or "
            "run it as a user of your own."
        ) from None


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
