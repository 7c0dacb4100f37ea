"""Threads that go on while a module is moved."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def meanwhile(*runs: Callable[[threading.Event], None]) -> Iterator[None]:
    """A thread for each, until the block ends: each is given the event that says so."""
    end = threading.Event()
    threads = [threading.Thread(target=run, args=(end,)) for run in runs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        end.set()
        for thread in threads:
            thread.join()
