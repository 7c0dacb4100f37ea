"""What must hold before anything is started: a data folder to write to, and a free port."""

import errno
import fcntl
import os
import socket
import tempfile
from pathlib import Path

from monolift.supervise.beside import LOCK


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
        _bind(host, port)
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
    """A port of the loopback interface that nobody listens on at the moment."""
    return _bind("127.0.0.1", 0)


def _bind(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do: a connection that lingers after the last run is no listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        probe.listen(1)
        bound: int = probe.getsockname()[1]
        return bound
