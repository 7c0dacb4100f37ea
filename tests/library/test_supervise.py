"""`monolift run` with real processes: it starts, keeps alive, and leaves nothing behind."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from monolift.management import verbs
from monolift.supervise.preflight import any_free_port
from monolift.supervise.restarts import GIVE_UP_AFTER, Restarts
from tests.library.running import (
    ROOT,
    Running,
    alive,
    command_line,
    environment,
    eventually,
    get,
    memory,
    monolift,
    python,
    running,
)

# The library's small world is installed beside the shop.
WORLD = {"DJANGO_SETTINGS_MODULE": "tests.settings"}
if each := os.environ.get("MONOLIFT_DATABASES"):
    WORLD["MONOLIFT_DATABASES"] = each

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def embedded() -> Iterator[Running]:
    """A run on SQLite and threads, shared by the tests that leave it running."""
    with running("--no-sample", **WORLD) as run:
        run.wait_until_ready()
        yield run


def handled(run: Running) -> list[str]:
    """The mails that the world's handlers have written."""
    file = run.data / ("sales.sqlite3" if WORLD.get("MONOLIFT_DATABASES") else "shop.sqlite3")
    with contextlib.closing(sqlite3.connect(file, timeout=10)) as database:
        return [key for (key,) in database.execute("SELECT key FROM sales_mail ORDER BY id")]


def publish(run: Running, quantity: int) -> None:
    """Announce an event in a process of its own, as the web process would."""
    python(
        f"""
from monolift import atomic, publish
from tests.library.world.stock.events import Filled
with atomic(module="stock"):
    publish(Filled(sku="a", quantity={quantity}))
""",
        {**run.env, "MONOLIFT_DATA": str(run.data)},
    )


def refused(*arguments: str, **env: str) -> str:
    """The one line that a run which cannot start prints; its exit code is 1."""
    done = monolift("run", *arguments, env=environment(**env))
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_it_answers_and_says_where(embedded: Running) -> None:
    status, body = get(f"{embedded.url}/healthz")
    assert (status, json.loads(body)["status"]) == (200, "ok")
    assert f"{embedded.url}/admin/" in embedded.output
    assert f"{embedded.url}/api/v1/docs" in embedded.output
    assert str(embedded.data) in embedded.output


def test_what_it_announces_is_there(embedded: Running) -> None:
    announced = [word for word in embedded.output.split() if word.startswith("http")]
    assert len(announced) >= 2
    for url in announced:
        assert get(url)[0] in (200, 302), url


def test_it_fits_into_250_megabytes(embedded: Running) -> None:
    get(f"{embedded.url}/api/v1/docs")
    supervisor = memory(embedded.process.pid)
    others = [memory(pid) for pid in embedded.look()]
    resident = supervisor[0] + sum(rss for rss, _ in others)
    proportional = supervisor[1] + sum(pss for _, pss in others)
    assert supervisor[0] < 25 * MEGABYTE
    assert resident < 250 * MEGABYTE
    assert proportional < 200 * MEGABYTE


def test_log_lines_are_json(embedded: Running) -> None:
    for line in embedded.errors.splitlines():
        assert "event" in json.loads(line)


def test_the_worker_runs_handlers(embedded: Running) -> None:
    publish(embedded, 1)
    eventually(lambda: "a:1" in handled(embedded), what="the handler ran")


def test_a_killed_worker_is_started_again(embedded: Running) -> None:
    killed = embedded.role("monolift worker")
    os.kill(killed, signal.SIGKILL)
    publish(embedded, 2)
    eventually(lambda: "a:2" in handled(embedded), what="a new worker ran the handler")
    assert embedded.role("monolift worker") not in (0, killed)
    assert "worker ended (SIGKILL); it is started again in 1 s." in embedded.output


def test_a_killed_web_process_is_started_again(embedded: Running) -> None:
    master = embedded.role("monolift.management web")
    loaded = max(pid for pid in embedded.look() if "management web" in command_line(pid))
    assert loaded != master
    os.kill(master, signal.SIGKILL)
    eventually(lambda: not alive(loaded), what="the server's worker ended with it")
    eventually(embedded.healthy, what="the web process is back")
    assert embedded.role("monolift.management web") not in (0, master)


def test_a_data_folder_has_one_run(embedded: Running) -> None:
    line = refused("--port", str(any_free_port()), "--data", str(embedded.data))
    assert str(embedded.data) in line
    assert f"process {embedded.process.pid}" in line
    assert "--data" in line


@pytest.mark.parametrize("server", ["granian", "gunicorn"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything(server: str, number: signal.Signals) -> None:
    with running("--no-sample", "--server", server, **WORLD) as run:
        run.wait_until_ready()
        assert len(run.look()) >= 3
        assert run.stop(number) == 0
        assert run.left() == {}
        assert run.output.endswith("Stopped.\n")
        assert "is killed" not in run.output
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", run.port))


def told_beside(run: Running) -> str:
    """The address that a command beside a run takes from it."""
    told = environment(**WORLD, MONOLIFT_DATA=str(run.data))
    return python("import os; print(os.environ.get('MONOLIFT_URL', ''))", told).strip()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can end a process with its parent")
def test_a_killed_supervisor_takes_everything_with_it() -> None:
    with running("--no-sample", **WORLD) as run:
        run.wait_until_ready()
        assert len(run.look()) >= 3
        assert told_beside(run) == run.url
        run.stop(signal.SIGKILL)
        eventually(lambda: not run.left(), seconds=20, what="every process ended")
        assert (run.data / "run.json").exists()
        assert told_beside(run) == "", "nothing of it is there any more"


def test_ctrl_c_while_it_starts_ends_everything() -> None:
    with running("--no-sample", **WORLD) as run:
        eventually(lambda: run.role("monolift prepare"), what="it prepares the databases")
        assert (run.data / "run.json").exists()
        assert run.stop(signal.SIGINT) == 0
        assert run.left() == {}
        assert not (run.data / "run.json").exists(), "commands beside it would look for its servers"


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused("--port", str(port), "--data", str(tmp_path / "var"))
    assert f"Port {port} of 127.0.0.1 is in use" in line
    assert "PORT=" in line


def test_a_port_that_was_given_goes_to_nobody_else() -> None:
    """Not between the question and the server's start, nor between its end and its next start."""
    port = any_free_port()
    for _ in range(2):
        with socket.socket() as somebody, pytest.raises(OSError, match="in use"):
            somebody.bind(("127.0.0.1", port))
        with socket.create_server(("127.0.0.1", port)) as server:
            socket.create_connection(server.getsockname()).close()


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    done = monolift("run", "--port", port)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_data_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    line = refused("--data", str(tmp_path / "file" / "var"))
    assert f"{tmp_path}/file is not a folder" in line
    assert "--data" in line


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    assert "is not a folder but a file" in refused("--data", str(tmp_path / "var"))


def test_a_data_folder_without_a_parent_is_refused(tmp_path: Path) -> None:
    line = refused("--data", str(tmp_path / "missing" / "var"))
    assert f"{tmp_path}/missing does not exist" in line
    assert not (tmp_path / "missing").exists()


def test_a_data_folder_that_is_read_only_is_refused() -> None:
    """Root ignores permissions, but nobody can make a file in /proc."""
    line = refused("--data", "/proc")
    assert "The data folder /proc cannot be written to" in line


def test_databases_that_cannot_be_prepared_stop_it(tmp_path: Path) -> None:
    data = tmp_path / "var"
    data.mkdir()
    (data / "shop.sqlite3").write_bytes(b"this is no database" * 100)
    done = monolift("run", "--port", str(any_free_port()), "--data", str(data))
    assert done.returncode == 1
    assert "'default' cannot be migrated: file is not a database" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.endswith("the reason is above.\n")


def test_outside_a_project_it_says_so(tmp_path: Path) -> None:
    done = monolift("run", "--data", str(tmp_path / "var"), cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "There is no manage.py" in done.stderr


def test_delays_double_and_healthy_life_makes_up() -> None:
    restarts = Restarts()
    assert [restarts.died(lived=11) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert restarts.died(lived=61) == 1


def test_quick_deaths_in_a_row_end_it() -> None:
    restarts = Restarts()
    delays = [restarts.died(lived=0.1) for _ in range(GIVE_UP_AFTER)]
    assert delays == [1, 2, 4, 8, None]


def test_quick_deaths_with_life_between_do_not() -> None:
    restarts = Restarts()
    for lived in (1, 1, 1, 1, 12, 1, 1, 1, 1):
        assert restarts.died(lived=lived) is not None


def supervise(script: str) -> "subprocess.CompletedProcess[str]":
    """Run a script that has a supervisor, whose waits are short."""
    head = """
import sys
from monolift.supervise import restarts
from monolift.supervise.processes import Recipe
from monolift.supervise.supervisor import GivenUp, StopRequested, Supervisor
restarts.FIRST_DELAY = 0.01
def recipe(name, code):
    return Recipe(name, [sys.executable, "-c", code], drain=0.5)
"""
    return subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(script)],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_a_process_that_does_not_stay_alive_is_given_up() -> None:
    done = supervise("""
        with Supervisor() as supervisor:
            supervisor.keep([recipe("broken", "exit(3)")])
            try:
                supervisor.forever()
            except GivenUp as error:
                print(error)
    """)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("broken ended (exit code 3); it is started again") == 4
    assert "broken ended again (exit code 3), 5 times within 10 s of its start" in done.stdout


def test_a_process_that_does_not_drain_is_killed_with_its_children() -> None:
    done = supervise("""
        stubborn = '''
        import signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print(child.pid, flush=True)
        time.sleep(600)
        '''
        import os, textwrap
        with Supervisor() as supervisor:
            read, write = os.pipe()
            saved = os.dup(1)
            os.dup2(write, 1)
            supervisor.keep([recipe("stubborn", textwrap.dedent(stubborn))])
            child = int(os.read(read, 20))
            os.dup2(saved, 1)
        print("child", child)
    """)
    assert done.returncode == 0, done.stderr
    assert "stubborn does not end; it is killed." in done.stdout
    child = int(done.stdout.rpartition("child ")[2])
    eventually(lambda: not alive(child), seconds=10, what="what it had started is killed as well")


def test_what_was_told_to_end_is_ended_though_ctrl_c_comes_first(tmp_path: Path) -> None:
    """As a deployable that is not needed any more, which takes its time."""
    file = tmp_path / "pid"
    done = supervise(f"""
        stubborn = (
            "import os, pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
            "file = pathlib.Path('{file}.new'); file.write_text(str(os.getpid())); "
            "file.rename('{file}'); os.close(1); os.close(2); time.sleep(600)"
        )
        import os, signal
        try:
            with Supervisor() as supervisor:
                tier = supervisor.keep([recipe("stubborn", stubborn)])
                supervisor.until(lambda: os.path.exists('{file}'), seconds=50)
                os.kill(os.getpid(), signal.SIGINT)
                supervisor.end(tier)
        except StopRequested:
            print("stopped")
    """)
    pid = int(file.read_text())
    left = alive(pid)
    if left:
        os.kill(pid, signal.SIGKILL)
    assert not left
    assert done.stdout == "stubborn does not end; it is killed.\nstopped\n", done.stderr


@pytest.mark.parametrize("name", verbs.names())
def test_a_verb_shows_its_help_without_django(name: str) -> None:
    code = (
        "import sys\n"
        "from monolift.management.console import main\n"
        "try:\n"
        f"    main([{name!r}, '--help'])\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0\n"
        "assert 'django' not in sys.modules, 'Django was loaded'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: monolift {name}") or name in done.stdout


def test_an_unknown_verb_is_refused() -> None:
    done = monolift("dance")
    assert done.returncode == 2
    assert "dance" in done.stderr
