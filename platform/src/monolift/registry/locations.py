"""How the url of a deployable is written: where it is, or which registry knows.

http://warehouse:8000                    a name in DNS, or an address
consul://127.0.0.1:8500/inventory        the healthy addresses that Consul has for a service
consul://127.0.0.1:8500/inventory?scheme=https
"""

import re
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

CONSUL = "consul"
_EXAMPLES = '"http://inventory:8000" or "consul://127.0.0.1:8500/inventory"'
_PORTS = {"http": 80, "https": 443, CONSUL: 8500}
_NO_HOST = re.compile(r"[\s\"<>\\^`{|}]")
"""What stands in no host, by RFC 3986."""
_SERVICE = re.compile(r"/([A-Za-z0-9][A-Za-z0-9_.-]{0,127})")


class Location(NamedTuple):
    """Where requests to a deployable go."""

    scheme: str
    """`http` or `https`."""
    host: str
    """Whom they name: in the Host header, and for a certificate. With a registry, the service."""
    port: int
    prefix: str
    """What stands before the path of each request, without a slash at its end."""
    registry: str = ""
    """`host:port` of the Consul agent that knows the addresses of `host`; empty without one."""


def located(url: Any) -> Location:
    """What a url says; ValueError, with the way out, for one that says nothing we understand."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        port = parts.port
    except ValueError as error:
        raise ValueError(f"url is {url!r}: {error}") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"url is {url!r}: give a URL, for example {_EXAMPLES}")
    if parts.username is not None or parts.fragment:
        # Not the url itself: what stands before an @ may be a password.
        raise ValueError(f"url of {parts.hostname!r} has a user or a fragment: give it without")
    if _NO_HOST.search(parts.hostname):
        raise ValueError(f"url is {url!r}: {parts.hostname!r} is no host")
    if port == 0:
        raise ValueError(f"url is {url!r}: nothing listens on port 0: give one from 1 to 65535")
    if port is None:
        port = _PORTS[parts.scheme]
    if parts.scheme == CONSUL:
        return _by_consul(url, parts, port)
    if parts.query:
        raise ValueError(f"url is {url!r}: give it without the query")
    return Location(parts.scheme, parts.hostname, port, parts.path.rstrip("/"))


def _by_consul(url: str, parts: SplitResult, port: int) -> Location:
    service = _SERVICE.fullmatch(parts.path)
    scheme = {"": "http", "scheme=http": "http", "scheme=https": "https"}.get(parts.query)
    if service is None or scheme is None:
        raise ValueError(
            f"url is {url!r}: give Consul's agent and the name of one service, "
            '"consul://127.0.0.1:8500/inventory", and "?scheme=https" if it is served by HTTPS'
        )
    host = parts.hostname or ""
    agent = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return Location(scheme, service[1], _PORTS[scheme], "", agent)
