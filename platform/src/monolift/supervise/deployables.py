"""The deployables of a topology, each with its own processes and data, on one machine."""

import json
import os
import re
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from monolift.supervise.answers import Address
from monolift.supervise.preflight import Refused, any_free_port
from monolift.supervise.stacks import Plan

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}")


class Role(NamedTuple):
    """One deployable: what is run for it, and what its processes are told."""

    name: str
    plan: Plan
    environment: Mapping[str, str]
    database: str = ""
    """Its own on a server that all share; empty: the server's first."""

    def of_stack(self, environment: Mapping[str, str]) -> dict[str, str]:
        """What a stack tells its processes, with this deployable's database."""
        told = dict(environment)
        if self.database and "MONOLIFT_POSTGRES" in told:
            server = urlsplit(told["MONOLIFT_POSTGRES"])
            told["MONOLIFT_POSTGRES"] = server._replace(path=f"/{self.database}").geturl()
        return told


def alone(plan: Plan) -> list[Role]:
    """The project as a single deployable."""
    return [Role("", plan, {})]


def of_topology(file: Path, plan: Plan) -> list[Role]:
    """Those that a file names, the edge in front: the first, which has the plan's address.

    Each gets a folder below the topology's own, so that one topology's data is not another's.
    Refused when the file is missing or names none.
    """
    names = _names(file)
    topology = file.stem.rpartition(".")[2]
    folder = plan.data / topology
    plans = {}
    for name in names:
        data = folder / name
        data.mkdir(parents=True, exist_ok=True)
        address = plan.address if name == names[0] else Address("127.0.0.1", any_free_port())
        plans[name] = plan._replace(
            data=data, address=address, sample=plan.sample and name == names[0]
        )
    shared = {
        "MONOLIFT_TOPOLOGY": str(file.absolute()),
        "MONOLIFT_URLS": ",".join(f"{name}={one.address.url}" for name, one in plans.items()),
        "MONOLIFT_KEYS": str(keys_file(folder, names)),
    }
    return [
        Role(name, one, {**shared, "MONOLIFT_DEPLOYABLE": name}, f"{topology}_{name}")
        for name, one in plans.items()
    ]


def _names(file: Path) -> Sequence[str]:
    try:
        document: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        near = sorted(path.name for path in file.absolute().parent.glob("topology*.toml"))
        there = f" There: {', '.join(near)}." if near else ""
        raise Refused(f"The topology {file} does not exist.{there}") from None
    except (OSError, ValueError) as error:
        raise Refused(f"The topology {file} cannot be read: {error}.") from None
    names = list(document.get("deployables", {}))
    if not names:
        raise Refused(f"The topology {file} names no deployable: give it [deployables.NAME].")
    for name in names:
        if not _NAME.fullmatch(name):
            raise Refused(
                f"The topology {file}: {name!r} is no name for a deployable. Use lower-case "
                "letters, digits, - and _."
            )
    return names


def keys_file(folder: Path, names: Sequence[str]) -> Path:
    """The file with a key for each, made once: what they sign with outlives a restart."""
    file = folder / "keys.json"
    known: list[dict[str, str]] = json.loads(file.read_text()) if file.exists() else []
    issuers = {key["issuer"] for key in known}
    known += [
        {"id": f"{name}-1", "secret": secrets.token_hex(32), "issuer": name}
        for name in names
        if name not in issuers
    ]
    # Written beside it and renamed: a killed run leaves no half of it.
    draft = folder / "keys.json.new"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(known, out, indent=1)
    draft.rename(file)
    return file
