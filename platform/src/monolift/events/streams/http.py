"""Events as signed HTTP batches: no server but those that are there.

The receiver keeps a batch before it answers, so an answer is the acknowledgement. See
`monolift.events.streams.receive` for the other side.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from urllib3.exceptions import HTTPError, ProtocolError

from monolift.events.streams.envelope import BATCH_TYPE, Envelope, chunks, join
from monolift.events.streams.port import Misplaced, Refused
from monolift.events.streams.sending import encoded
from monolift.kernel.clock import monotonic
from monolift.kernel.errors import Unavailable
from monolift.transport import deadlined
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
        self._urls = urls
        self._signers = signers
        self._timeout = timeout
        self._pool = deadlined.pools(size=8, timeout=timeout, **(options or {}))

    def send(self, *, to: str, batch: Sequence[Envelope]) -> None:
        """See `port.Stream`."""
        if to not in self._urls or to not in self._signers:
            missing = "URLS'] has no URL" if to not in self._urls else "KEYS'] has no key of ours"
            raise Unavailable(f"stream to {to}", f"MONOLIFT['{missing} for it")
        messages, refused = encoded(batch)
        misplaced: set[str] = set()
        for chunk in chunks(messages):
            self._send(to, chunk, refused, misplaced)
        if misplaced:  # what is refused goes again with them, and is refused then
            raise Misplaced(misplaced.union(refused), f"its module is not in {to}")
        if refused:
            raise Refused(refused)

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
        url = self._urls[to].rstrip("/") + PATH
        token = self._signers[to].sign(
            audience=to, method="POST", path=urlsplit(url).path, body=body
        )
        headers = {"Authorization": f"Bearer {token}", "Content-Type": BATCH_TYPE}
        with deadlined.until(monotonic() + self._timeout):
            try:
                try:
                    return self._request(url, body, headers)
                except ProtocolError:
                    # The server has closed a connection that was idle. A batch bears it twice.
                    return self._request(url, body, headers)
            except (HTTPError, OSError) as error:
                raise Unavailable(f"stream to {to}", f"{type(error).__name__}: {error}") from error

    def _request(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, Any]]:
        answer = self._pool.urlopen(
            "POST", url, body=body, headers=headers, redirect=False, preload_content=False
        )
        try:
            text = answer.read(_ANSWER, decode_content=False)
        finally:
            answer.close()  # only what was not read to its end: else the pool has it again
        return answer.status, _problem(text)

    def stop(self) -> None:
        """See `port.Stream`."""
        deadlined.close(self._pool)


def _problem(answer: bytes) -> dict[str, Any]:
    """What a problem (RFC 9457) says."""
    try:
        return msgspec.json.decode(answer, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
