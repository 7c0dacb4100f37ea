"""A mail server on loopback that does as it is told: takes mail, refuses it, or hangs up."""

import socket
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self, cast

REFUSED_FOR_GOOD = b"550 no such mailbox\r\n"
REFUSED_FOR_NOW = b"451 try again later\r\n"


class MailServer:
    """Use as a context. `answers` is what it says to the next recipients; then it takes them."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.answers: list[bytes] = []
        self.silent_after_data = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                stream.write(b"220 here\r\n")
                stream.flush()
                for line in stream:
                    word = line[:4].upper().strip()
                    if word == b"DATA":
                        stream.write(b"354 go on\r\n")
                        stream.flush()
                        lines = iter(stream.readline, b".\r\n")
                        whole = message_from_bytes(b"".join(lines), policy=policy.default)
                        self.taken.append(cast(EmailMessage, whole))
                        if self.silent_after_data:
                            self.silent_after_data -= 1
                            break
                        stream.write(b"250 taken\r\n")
                    elif word == b"RCPT" and self.answers:
                        stream.write(self.answers.pop(0))
                    elif word == b"QUIT":
                        stream.write(b"221 bye\r\n")
                        stream.flush()
                        break
                    else:
                        stream.write(b"250 ok\r\n")
                    stream.flush()
