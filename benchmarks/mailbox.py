"""A mail server that takes everything and keeps nothing: what that needs of SMTP (RFC 5321)."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self._say("354 go on")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
            elif word == b"QUIT":
                self._say("221 bye")
                return
            self._say("250 ok")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def mailbox() -> Iterator[dict[str, str]]:
    """What a shop is told so that it sends its mail there."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield {
                "EMAIL_HOST": "127.0.0.1",
                "EMAIL_PORT": str(server.server_address[1]),
                "EMAIL_SECURITY": "none",
                "EMAIL_FROM": "shop@localhost",
            }
        finally:
            server.shutdown()
