"""What a deployable is, for whoever writes files about it: from the topology and the modules."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from monolift.kernel import operations_of
from monolift.lift.service.errors import ServiceError
from monolift.lift.service.neighbours import neighbours
from monolift.registry.modules import modules
from monolift.registry.places import Deployable, Topology
from monolift.registry.settings import STREAMS, setting
from monolift.registry.topology import topology
from monolift.registry.topology_file import declared

PORT = 8000
"""Where a web process listens."""
STATUS_PORT = 8001
"""Where a worker tells its health and its metrics."""

_DNS = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._/:-]*(:[\w][\w.-]{0,127}|@sha256:[0-9a-f]{64})")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation that the deployable answers."""

    name: str
    timeout: float
    """Seconds."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """A deployable that hosts some modules and not all of them."""

    deployable: str
    name: str
    """The same as a DNS label: how others reach it."""
    system: str
    """What it is a part of: the name of its namespace."""
    image: str
    """With its tag."""
    hosts: tuple[str, ...]
    owner: str
    """The team of the module that it is written for."""
    settings: str
    """The name of Django's settings module."""
    replicas: tuple[int, int]
    aliases: tuple[str, ...]
    """Its databases."""
    database_ports: tuple[int, ...]
    callers: tuple[str, ...]
    """DNS labels of the deployables that send it requests."""
    callees: tuple[str, ...]
    """Of those that it sends requests to."""
    urls: dict[str, str]
    """Where it reaches each other deployable."""
    operations: tuple[Operation, ...]
    topology: str
    """The text of the topology's file, this deployable in it; empty without a file."""
    stream: str
    wake: str
    threads: int
    """Of a web process: more than the calls that it serves, or makes to one module, at once."""


def describe(
    *,
    module: str,
    image: str,
    namespace: str,
    alone: bool = False,
    callers: Sequence[str] = (),
    callees: Sequence[str] = (),
    stream: str = "",
    database_ports: Sequence[int] = (),
) -> Service:
    """The service that a module is, or will be, in.

    A module that is still in the control deployable gets one of its own name; so does one that
    shares its deployable, if it is to be `alone`. `callers` and `callees` are deployables that this
    code knows nothing of; `stream` is how events go there, and `database_ports` are those of its
    database servers, both as the settings say by default. Raises ServiceError for an unknown
    module, and for what is no good there.
    """
    known = modules()
    if module not in known:
        raise ServiceError(f"There is no module {module!r}. Installed: {', '.join(sorted(known))}.")
    if not _IMAGE.fullmatch(image):
        raise ServiceError(f"{image!r} is no image with a tag. Say --image shop:1.4.2.")
    try:
        now = topology()
        deployable = now.place(module).deployable
        moves = deployable == now.control or (alone and len(_hosted(now, deployable)) > 1)
        deployable = module if moves else deployable
        hosts = {module} if moves else _hosted(now, deployable)
        role = now.deployables.get(deployable, Deployable())
    except ImproperlyConfigured as error:
        raise ServiceError(str(error)) from None
    met = neighbours(of=frozenset(hosts))
    # The topology is told, and asked for, between every deployable and the control deployable.
    stream = _stream(stream or setting("STREAM"))
    sends = {*met.calls, *(met.heard_by if stream == "http" else ())}
    receives = {*met.callers, *(met.hears if stream == "http" else ())}
    others = {now.control, *(now.place(label).deployable for label in known)} - {deployable}
    aliases = sorted({now.alias(label) for label in hosts})
    return Service(
        deployable=deployable,
        name=_dns(deployable),
        system=_dns(namespace),
        image=image,
        hosts=tuple(sorted(hosts)),
        owner=known[module].owner,
        settings=str(settings.SETTINGS_MODULE),
        replicas=role.replicas,
        aliases=tuple(aliases),
        database_ports=_ports(database_ports or [_port(alias) for alias in aliases]),
        callers=_deployables(now, receives, callers, but=deployable),
        callees=_deployables(now, sends, callees, but=deployable),
        urls={name: _url(now, name) for name in sorted(others)},
        operations=tuple(
            Operation(name=operation.name, timeout=operation.timeout)
            for label in sorted(hosts)
            for interface in known[label].provides
            for operation in operations_of(interface).values()
        ),
        topology=_topology(deployable),
        stream=stream,
        threads=min(max(setting("SERVES_AT_ONCE"), 2 * setting("CALLS_AT_ONCE")) + 4, 64),
        wake="notify" if _on_postgresql(aliases) else "poll",
    )


def _hosted(now: Topology, deployable: str) -> set[str]:
    return {label for label in modules() if now.place(label).deployable == deployable}


def _deployables(
    now: Topology, labels: Iterable[str], more: Iterable[str], *, but: str
) -> tuple[str, ...]:
    names = {now.control, *(now.place(label).deployable for label in labels), *more} - {but}
    return tuple(sorted({_dns(name) for name in names}))


def _url(now: Topology, name: str) -> str:
    role = now.deployables.get(name)
    return role.url if role is not None and role.url else usual_url(_dns(name))


def usual_url(name: str, /) -> str:
    """Where a deployable is reached when nothing else is said."""
    return f"http://{name.replace('_', '-')}:{PORT}"


def _dns(name: str) -> str:
    found = name.replace("_", "-")
    if not _DNS.fullmatch(found):
        raise ServiceError(
            f"{name!r} is no name for Kubernetes. Use lower-case letters, digits and -, at most 63."
        )
    return found


def _port(alias: str) -> int:
    return int(settings.DATABASES[alias].get("PORT") or 5432)


def _ports(given: Iterable[int]) -> tuple[int, ...]:
    found = tuple(sorted(set(given)))
    if not all(1 <= port < 2**16 for port in found):
        raise ServiceError(f"{found} has what is no port. Say --database-ports 5432.")
    return found


def _stream(given: str) -> str:
    if given not in STREAMS:
        raise ServiceError(f"{given!r} is no stream. Choose from {', '.join(STREAMS)}.")
    return given


def _on_postgresql(aliases: Iterable[str]) -> bool:
    # What runs in a cluster is on PostgreSQL; SQLite here is the laptop that writes the files.
    engines = {str(settings.DATABASES[alias]["ENGINE"]) for alias in aliases}
    return not any("mysql" in engine or "oracle" in engine for engine in engines)


def _topology(deployable: str) -> str:
    """The file as it is, with an entry for a deployable that it lacks."""
    path = setting("TOPOLOGY")
    if not path:
        return ""
    text = Path(path).read_text(encoding="utf-8").rstrip("\n") + "\n"
    if deployable in declared().deployables:
        return text
    return f"{text}\n[deployables.{deployable}]\n"
