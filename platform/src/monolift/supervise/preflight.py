"""What must hold before anything is started: a data folder to write to, and a free port."""

import errno
import fcntl
import os
import socket
import tempfile
from collections import deque
from pathlib import Path

from monolift.supervise.beside import LOCK

_MOST = 200
_held: deque[int] = deque()
"""Sockets of the ports that were given last."""


class Refused(Exception):
    """It cannot be started; the message names the cause and the way out, in one line."""


def data_folder(given: str) -> Path:
    """The data folder, made when it is missing; Refused when nothing can be written there."""
    folder = Path(given).absolute()
    way_out = "Choose another folder with --data (make run DATA=...)."
    try:
        folder.mkdir(exist_ok=True)
    except FileNotFoundError:
        raise Refused(
            f"The data folder {folder} cannot be created: {folder.parent} does not exist. {way_out}"
        ) from None
    except NotADirectoryError:
        raise Refused(
            f"The data folder {folder} cannot be created: {folder.parent} is not a folder. "
            f"{way_out}"
        ) from None
    except FileExistsError:
        raise Refused(f"The data folder {folder} is not a folder but a file. {way_out}") from None
    except OSError as error:
        raise Refused(
            f"The data folder {folder} cannot be created: {error.strerror}. {way_out}"
        ) from None
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"monolift")
    except OSError as error:
        raise Refused(
            f"The data folder {folder} cannot be written to: {error.strerror}. {way_out}"
        ) from None
    return folder


class DataLock:
    """Keeps a second supervisor off a data folder. The system frees it when the process ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.read(self._file, 20).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise Refused(
                f"The data folder {folder} is in use by another `monolift run` (process {owner}). "
                "Stop that one, or choose another folder with --data (make run DATA=...)."
            ) from None
        os.truncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let others have the folder."""
        os.close(self._file)


def free_port(*, host: str, port: int) -> None:
    """Refused when nobody could listen on the port."""
    try:
        with _bound(host, port) as probe:
            probe.listen(1)
    except OSError as error:
        another = port + 1 if 1024 <= port < 65535 else 8001
        way_out = f"Choose another one: make run PORT={another} (monolift run --port {another})."
        if error.errno == errno.EADDRINUSE:
            raise Refused(
                f"Port {port} of {host} is in use by another program. {way_out}"
            ) from None
        raise Refused(
            f"Port {port} of {host} cannot be used: {error.strerror}. {way_out}"
        ) from None


def any_free_port() -> int:
    """A port of the loopback interface that nobody else is given while this process lives.

    It stays bound, which the system reckons with whenever it is asked for any port; whoever is told
    of it can listen there, as often as its server is started. The last 200 are held.
    """
    with _bound("127.0.0.1", 0) as held:
        port: int = held.getsockname()[1]
        _held.append(held.detach())
    if len(_held) > _MOST:
        os.close(_held.popleft())
    return port


def _bound(host: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        # As servers do: a connection that lingers after the last run is no listener.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made
