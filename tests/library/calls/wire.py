"""A TCP proxy with faults, between a caller and a server: what networks do to calls."""

import contextlib
import socket
import struct
import threading
import time
from typing import Self

MODES = ("ok", "refuse", "lose answers", "trickle", "silent", "cut")


class Wire:
    """Forwards connections to a port, and breaks `share` of the requests as `mode` says.

    `lose answers`: the request arrives, its answer does not, and the connection is reset.
    `trickle`: a byte of the answer now and then. `silent`: nothing arrives, nothing comes back.
    `cut`: the first bytes of the answer, then a reset.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.mode = "ok"
        self.every = 1
        """Each so-and-so-manieth request is broken."""
        self.requests = 0
        self.broken = 0
        self.together: threading.Barrier | None = None
        """So many requests have to be on their way before any of them arrives."""
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self._open.append(client)
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            if self.mode == "refuse":
                self._count(broken=True)
                return _reset(client)
            with socket.create_connection(("127.0.0.1", self._target)) as server:
                self._open.append(server)
                while request := message(client):
                    broken = self._count(broken=None)
                    mode = self.mode if broken else "ok"
                    if mode == "refuse":
                        return _reset(client)
                    if mode == "silent":
                        time.sleep(60)
                        return None
                    if self.together is not None:
                        try:
                            self.together.wait(5)
                        except threading.BrokenBarrierError:
                            return _reset(client)
                    server.sendall(request)
                    answer = message(server)
                    if not answer or mode == "lose answers":
                        return _reset(client)
                    if mode == "cut":
                        client.sendall(answer[: len(answer) // 2])
                        return _reset(client)
                    if mode == "trickle":
                        for byte in answer:
                            client.sendall(bytes([byte]))
                            time.sleep(0.2)
                    client.sendall(answer)
        return None

    def _count(self, *, broken: bool | None) -> bool:
        with self._lock:
            self.requests += 1
            if broken is None:
                broken = self.mode != "ok" and self.requests % self.every == 0
            self.broken += broken
            return broken


def message(source: socket.socket) -> bytes:
    """One HTTP message with its Content-Length; empty at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = source.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(body) < length:
        more = source.recv(65536)
        if not more:
            return b""
        body += more
    return head + b"\r\n\r\n" + body


def _reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
