"""Work in a child process that is killed at a system call that a test chooses."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable

import pytest
from django.db import connections

STEP = int(os.environ.get("MONOLIFT_SWEEP_STEP", "16"))
"""Of the system calls of a sweep, each so-and-so-manieth is a point; 1 in `make chaos`."""

needs_strace = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")


def killed_at(call: str, at: int, work: Callable[[], object]) -> bool:
    """Work in a child that dies at its `at`-th system call of that name.

    False when it got through. AssertionError when it raised.
    """
    connections.close_all()
    wait, go = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.read(wait, 1)
            work()
            status = 0
        finally:
            os._exit(status)
    kill = f"inject={call}:signal=KILL:when={at}"
    with subprocess.Popen(
        ["strace", "-f", "-p", str(child), "-o", os.devnull, "-e", f"trace={call}", "-e", kill],
        stderr=subprocess.PIPE,
        text=True,
    ) as tracer:
        assert tracer.stderr is not None
        assert "attached" in tracer.stderr.readline()
        os.write(go, b"!")
        _, status = os.waitpid(child, 0)
        tracer.stderr.read()
    os.close(wait)
    os.close(go)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child raised"
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
