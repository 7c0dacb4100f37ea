"""Who lives, and what each process knows: a row for each, in its deployable's default database.

Written by the thread that follows the topology, on PostgreSQL: there a lift takes a module to a
database that processes must have been told of before.
"""

import json
import os
import socket
from collections.abc import Iterable

import msgspec
from django.conf import settings
from django.db import DatabaseError, connections

from monolift.observe.logs import logger
from monolift.registry.places import DEFAULT_ALIAS, here
from monolift.registry.sql import after, execute, fetch, now
from monolift.registry.topology import topology

BEAT = 5.0
"""Seconds after which a process says again that it lives."""
ALIVE = 3 * BEAT
"""Seconds after which one that has said nothing does not."""

log = logger("monolift.topology")


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A process, as it says itself."""

    host: str
    pid: int
    deployable: str
    epoch: int
    """Of the topology that is in force there."""
    databases: tuple[str, ...]
    """The aliases that it could open."""

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} ({self.deployable})"


_decoder = msgspec.json.Decoder(list[Process])


def myself() -> Process:
    """This one."""
    return Process(
        host=socket.gethostname(),
        pid=os.getpid(),
        deployable=here(),
        epoch=topology().epoch,
        databases=tuple(sorted(settings.DATABASES)),
    )


def tell() -> None:
    """Write down that this process lives, and what it knows; what fails, at the next beat again."""
    if connections[DEFAULT_ALIAS].vendor != "postgresql":
        return
    me = myself()
    try:
        execute(
            DEFAULT_ALIAS,
            "INSERT INTO monolift_process (id, deployable, epoch, databases, seen_at) "
            f"VALUES (%s, %s, %s, %s, {now(DEFAULT_ALIAS)}) ON CONFLICT (id) DO UPDATE SET "
            "deployable = excluded.deployable, epoch = excluded.epoch, "
            "databases = excluded.databases, seen_at = excluded.seen_at",
            (f"{me.host}:{me.pid}", me.deployable, me.epoch, json.dumps(me.databases)),
        )
        execute(
            DEFAULT_ALIAS,
            f"DELETE FROM monolift_process WHERE seen_at < {after(DEFAULT_ALIAS, -100 * BEAT)}",
            (),
        )
    except DatabaseError as error:
        log.debug("this process could not say that it lives", reason=str(error))


def alive() -> list[Process]:
    """Those of this deployable that have said so lately."""
    if connections[DEFAULT_ALIAS].vendor != "postgresql":
        return []
    rows = fetch(
        DEFAULT_ALIAS,
        "SELECT id, deployable, epoch, databases FROM monolift_process "
        f"WHERE seen_at > {after(DEFAULT_ALIAS, -ALIVE)} ORDER BY id",
        (),
    )
    return [_process(*row) for row in rows]


def _process(identifier: str, deployable: str, epoch: int, databases: str) -> Process:
    host, _, pid = identifier.rpartition(":")
    return Process(
        host=host,
        pid=int(pid),
        deployable=deployable,
        epoch=epoch,
        databases=tuple(json.loads(databases)),
    )


def encode(processes: Iterable[Process]) -> bytes:
    """As JSON."""
    return msgspec.json.encode(list(processes))


def decode(body: bytes) -> list[Process]:
    """From JSON. Raises ValueError."""
    return _decoder.decode(body)
