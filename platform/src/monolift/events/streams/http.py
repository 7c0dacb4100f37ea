"""Events as signed HTTP batches: no server but those that are there.

The receiver keeps a batch before it answers, so an answer is the acknowledgement. See
`monolift.events.streams.receive` for the other side.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from urllib3.exceptions import HTTPError, ProtocolError

from monolift.events.streams.envelope import BATCH_TYPE, Envelope, chunks, join
from monolift.events.streams.sending import encoded, settle
from monolift.kernel.clock import monotonic
from monolift.kernel.errors import Unavailable
from monolift.transport.lines import Line
from monolift.transport.protocol import MISDIRECTED
from monolift.transport.signing import Signer

PATH = "/_monolift/events"
"""Where a deployable takes events in, below its URL."""

_ANSWER = 64 * 1024
"""Bytes of an answer that are read."""
_SPLIT = frozenset({400, 413, 422})
"""Statuses that may be about a single message of the batch."""


class HttpStream:
    """See `port.Stream`. Safe for threads; connections are kept and shared."""

    def __init__(
        self,
        *,
        urls: Mapping[str, str],
        signers: Mapping[str, Signer],
        timeout: float = 10.0,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """`urls` and `signers` are those of each receiver; `timeout` is seconds for one request.

        `options`: `ca_file` to trust instead of the system's, `cert_file` and `key_file` to show.
        """
        self._lines = {to: Line(url, size=8, tls=options or {}) for to, url in urls.items()}
        self._signers = signers
        self._timeout = timeout

    def send(self, *, to: str, batch: Sequence[Envelope]) -> None:
        """See `port.Stream`."""
        if to not in self._lines or to not in self._signers:
            missing = "URLS'] has no URL" if to not in self._lines else "KEYS'] has no key of ours"
            raise Unavailable(f"stream to {to}", f"MONOLIFT['{missing} for it")
        messages, refused = encoded(batch)
        misplaced: set[str] = set()
        for chunk in chunks([*messages.values()]):
            self._send(to, chunk, refused, misplaced)
        settle(to, misplaced=misplaced, refused=refused)

    def _send(
        self, to: str, messages: Sequence[bytes], refused: dict[str, str], misplaced: set[str]
    ) -> None:
        """Send one batch. When it is refused, find out which message it is about."""
        status, problem = self._post(to, join(messages))
        reason = str(problem.get("detail") or problem.get("title") or "")[:500]
        if 200 <= status < 300:
            return
        if status == MISDIRECTED:
            named = problem.get("events")
            sent = {msgspec.json.decode(message)["id"] for message in messages}
            misplaced |= sent.intersection(named if isinstance(named, list) else sent) or sent
            return
        if status not in _SPLIT:
            raise Unavailable(f"stream to {to}", f"it answers {status} {reason}".rstrip())
        if len(messages) > 1:
            half = len(messages) // 2
            self._send(to, messages[:half], refused, misplaced)
            self._send(to, messages[half:], refused, misplaced)
        else:
            identifier = msgspec.json.decode(messages[0])["id"]
            refused[identifier] = f"{to} answers {status} {reason}".rstrip()

    def _post(self, to: str, body: bytes) -> tuple[int, dict[str, Any]]:
        line = self._lines[to]
        target = line.prefix + PATH
        token = self._signers[to].sign(audience=to, method="POST", path=target, body=body)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": BATCH_TYPE}
        end = monotonic() + self._timeout
        try:
            try:
                answer = line.post(target, body, headers=headers, end=end, most=_ANSWER)
            except ProtocolError:
                # The server has closed a connection that was idle. A batch bears it twice.
                answer = line.post(target, body, headers=headers, end=end, most=_ANSWER)
        except (HTTPError, OSError) as error:
            raise Unavailable(f"stream to {to}", f"{type(error).__name__}: {error}") from error
        return answer.status, _problem(answer.body)

    def stop(self) -> None:
        """See `port.Stream`."""
        for line in self._lines.values():
            line.close()


def _problem(answer: bytes) -> dict[str, Any]:
    """What a problem (RFC 9457) says."""
    try:
        return msgspec.json.decode(answer, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
