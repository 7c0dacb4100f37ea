"""Wake-ups between processes of one machine: datagrams to the loopback ports named in a folder."""

import contextlib
import socket
from pathlib import Path


class Mailbox:
    """A port of this process, whose number stands in a folder for others to find."""

    def __init__(self, folder: Path) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._socket.getsockname()
        folder.mkdir(parents=True, exist_ok=True)
        _forget_the_dead(folder)
        self._file = folder / str(self.address[1])
        self._file.touch()

    def wait(self, timeout: float) -> bool:
        """True when somebody knocked within `timeout` seconds. Knocks may come together as one."""
        self._socket.settimeout(timeout)
        try:
            self._socket.recv(64)
        except TimeoutError:
            return False
        return True

    def withdraw(self) -> None:
        """Take the number out of the folder, and wake who waits. Safe from other threads."""
        self._file.unlink(missing_ok=True)
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.sendto(b"\0", self.address)

    def close(self) -> None:
        """Give the port back."""
        self._file.unlink(missing_ok=True)
        self._socket.close()


def listening(folder: Path) -> tuple[tuple[str, int], ...]:
    """The ports that a folder names."""
    try:
        names = [file.name for file in folder.iterdir()]
    except OSError:
        return ()
    return tuple(("127.0.0.1", int(name)) for name in names if name.isdigit())


def knock(folder: Path) -> None:
    """Wake everyone whose port a folder names."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for address in listening(folder):
            with contextlib.suppress(OSError):
                sender.sendto(b"\0", address)


def _forget_the_dead(folder: Path) -> None:
    """Take away what killed processes left: a port that can be bound is one nobody listens on."""
    for address in listening(folder):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(address)
            except OSError:
                continue
            (folder / str(address[1])).unlink(missing_ok=True)
