"""The line to another deployable: kept connections to wherever it is."""

import ssl
import threading
from collections.abc import Mapping
from pathlib import Path

from urllib3 import HTTPConnectionPool
from urllib3.exceptions import ProtocolError

from monolift.kernel.clock import monotonic
from monolift.observe.logs import logger
from monolift.registry.locations import Location, located
from monolift.transport import deadlined
from monolift.transport.addresses import Finder, Named
from monolift.transport.consul import Consul
from monolift.transport.protocol import Outcome

_LOOK = 5.0
"""Seconds between two looks at whether a certificate's file is another one."""

log = logger("monolift.calls")


class Line:
    """Posts requests to one url. Safe for threads; no connection is made before the first."""

    def __init__(self, url: str, *, size: int, tls: Mapping[str, str]) -> None:
        """`size` connections are kept at most. `tls`: the setting of that name.

        Raises ValueError for a url that is none.
        """
        self._location = located(url)
        self.prefix = self._location.prefix
        """What stands before the path of each request, and is signed with it."""
        self._size = size
        self._tls = tls
        self._finder = _finder(self._location)
        self._lock = threading.Lock()
        self._pool: HTTPConnectionPool | None = None
        self._files: tuple[float, ...] = ()
        self._looked = 0.0

    def post(
        self, target: str, body: bytes, *, headers: Mapping[str, str], end: float, most: int
    ) -> Outcome:
        """Send a request, once, and give up to `most` bytes of its answer.

        `target` is path and query, `prefix` included; `end` is on the monotonic clock. Raises
        HTTPError and OSError. Redirects are not followed.
        """
        with deadlined.until(end):
            answer = self._kept().urlopen(
                "POST",
                target,
                body=body,
                headers=headers,
                redirect=False,
                preload_content=False,
            )
            try:
                content = answer.read(most, decode_content=False)
                if answer.length_remaining and len(content) < most:
                    # The first digits of a number are a number, too.
                    raise ProtocolError("the answer is cut off")
            finally:
                answer.close()  # only what was not read to its end: else the pool has it again
        return Outcome(answer.status, content, _seconds(answer.headers.get("Retry-After")))

    def close(self) -> None:
        """Close what is kept; what is in use is closed when it is given back."""
        self._finder.close()
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _kept(self) -> HTTPConnectionPool:
        pool, now = self._pool, monotonic()
        if pool is not None and now - self._looked < _LOOK:
            return pool
        with self._lock:
            self._looked = now
            try:
                files = tuple(Path(path).stat().st_mtime for path in self._tls.values())
                if self._pool is None or files != self._files:
                    self._pool = deadlined.pool(
                        self._location,
                        self._finder,
                        size=self._size,
                        timeout=deadlined.CONNECT,
                        **self._tls,
                    )
                    self._files = files
            except (OSError, ssl.SSLError) as error:
                if self._pool is None:
                    raise OSError(f"MONOLIFT['TLS']: {error}") from error
                # Half of a new pair is there: go on with the old one until the other half is.
                log.warning("certificates cannot be read anew", exc_info=error)
            return self._pool


def _finder(location: Location) -> Finder:
    if location.registry:
        return Consul(agent=location.registry, service=location.host)
    return Named(location.host, location.port)


def _seconds(header: str | None) -> float | None:
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < 3600 else None
