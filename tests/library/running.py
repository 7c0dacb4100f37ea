"""`monolift run` as a process of its own, with the eyes to see everything it has started."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from monolift.supervise.preflight import any_free_port

ROOT = Path(__file__).parents[2]
MONOLIFT = Path(sys.executable).with_name("monolift")
MARK = "MONOLIFT_TEST_RUN"

# What the surrounding test run was started with must not leak into the runs that tests start.
_NOT_INHERITED = (
    "MONOLIFT_", "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "PYTEST_", "MAKE", "MFLAGS",
    "HOST", "PORT",
)  # fmt: skip


def eventually[T](condition: Callable[[], T], *, seconds: float = 60.0, what: str = "") -> T:
    """The first true value of a condition; AssertionError when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what or condition}"
        time.sleep(0.05)


def environment(**more: str) -> dict[str, str]:
    """The environment of a fresh shell, and `more`."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)
    }
    return {**kept, **more}


def get(url: str) -> tuple[int, bytes]:
    """Status and body of a GET; 0 when nobody answers."""
    import http.client
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    with contextlib.closing(connection):
        try:
            connection.request("GET", parts.path or "/")
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""


def command_line(pid: int) -> str:
    """How a process was started; empty when it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    return ""


def alive(pid: int) -> bool:
    """True for a process that runs; one that only waits to be reaped does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def descendants(pid: int) -> set[int]:
    """Every process that a process has started, and those they have started."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                after_name = (entry / "stat").read_text().rpartition(")")[2]
                parents[int(entry.name)] = int(after_name.split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def memory(pid: int) -> tuple[int, int]:
    """Resident and proportional memory of a process, in bytes."""
    fields = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    )
    return int(fields["Rss"].split()[0]) * 1024, int(fields["Pss"].split()[0]) * 1024


class Running:
    """One `monolift run`, on a free port, in a data folder of its own."""

    def __init__(self, folder: Path, *arguments: str, **env: str) -> None:
        self.port = any_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data = folder / "var"
        self.mark = str(uuid.uuid4())
        self.seen: set[int] = set()
        self._out = (folder / "out").open("w+")
        self._err = (folder / "err").open("w+")
        self.env = environment(**env, **{MARK: self.mark})
        self.process = subprocess.Popen(
            (*self.command, *arguments),
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
            start_new_session=True,
        )

    @property
    def command(self) -> tuple[str, ...]:
        """The command line."""
        return (str(MONOLIFT), "run", "--port", str(self.port), "--data", str(self.data))

    def healthy(self) -> bool:
        """True when the web process says that all is well."""
        return get(f"{self.url}/healthz")[0] == 200

    def wait_until_ready(self, *, seconds: float = 120.0) -> None:
        """Wait for the line that is printed last."""

        def ready() -> bool:
            assert self.process.poll() is None, self.output + self.errors
            return "Ctrl-C" in self.output

        eventually(ready, seconds=seconds, what="monolift run is ready")
        self.look()

    def look(self) -> set[int]:
        """The processes it has started that run now; they are remembered."""
        found = {pid for pid in descendants(self.process.pid) if alive(pid)}
        self.seen |= found
        return found

    def role(self, text: str) -> int:
        """The process started first whose command line has that text; 0 when there is none."""
        return min((pid for pid in self.look() if text in command_line(pid)), default=0)

    def left(self) -> dict[int, str]:
        """Processes that are still there: those seen, and any that carry its mark."""
        marked = set()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if f"{MARK}={self.mark}".encode() in (entry / "environ").read_bytes():
                        marked.add(int(entry.name))
        return {pid: command_line(pid) for pid in marked | self.seen if alive(pid)}

    @property
    def output(self) -> str:
        """What it has printed."""
        return Path(self._out.name).read_text()

    @property
    def errors(self) -> str:
        """The log."""
        return Path(self._err.name).read_text()

    def stop(self, number: int = signal.SIGINT, *, seconds: float = 30.0) -> int:
        """Send a signal and wait for the end; the exit status."""
        self.look()
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(seconds)

    def clean_up(self) -> None:
        """End whatever is left, by its id."""
        if self.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.stop()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in self.left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._out.close()
        self._err.close()


@contextlib.contextmanager
def running(*arguments: str, **env: str) -> Iterator[Running]:
    """A run in a fresh folder, which everybody may enter: PostgreSQL's account has to."""
    with tempfile.TemporaryDirectory(prefix="monolift-run-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        run = Running(folder, *arguments, **env)
        try:
            yield run
        finally:
            run.clean_up()


@contextlib.contextmanager
def open_shop() -> Iterator[Running]:
    """A run that serves; at its end it stops when it is asked to, and leaves nothing running."""
    with running() as run:
        run.wait_until_ready()
        yield run
        assert run.stop(seconds=60) == 0
        assert run.left() == {}


def python(script: str, env: Mapping[str, str]) -> str:
    """Run a script with the project loaded; what it prints."""
    whole = f"import django\ndjango.setup()\n{script}"
    done = subprocess.run(
        [sys.executable, "-c", whole],
        cwd=ROOT,
        env=dict(env),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def monolift(*arguments: str, **more: Any) -> "subprocess.CompletedProcess[str]":
    """Run the console script to its end."""
    return subprocess.run(
        [MONOLIFT, *arguments],
        cwd=more.pop("cwd", ROOT),
        env=more.pop("env", None) or environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=more.pop("timeout", 60),
    )
