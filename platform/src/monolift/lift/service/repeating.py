"""How a workflow writes the same files again: the command, and what it is told beside it."""

import json
import os
import shlex
from collections.abc import Collection
from pathlib import Path

from monolift.lift.service.facts import Service, usual_url
from monolift.registry.places import here
from monolift.registry.topology import topology

_DECIDING = ("DJANGO_SETTINGS_MODULE", "MONOLIFT_DEPLOYABLE", "MONOLIFT_DATABASES")
"""Variables of which it depends what is written, and which are the same everywhere."""


def command(
    service: Service,
    *,
    module: str,
    folder: str,
    monitoring: str,
    database_cidr: str,
    kept: Collection[str],
) -> str:
    """The command, an option a line, without those that are `kept` in pyproject.toml."""
    options = {
        "namespace": service.system,
        "monitoring": monitoring,
        "database_cidr": database_cidr,
        "database_ports": ",".join(map(str, service.database_ports)),
        "stream": service.stream,
    }
    lines = [f'.venv/bin/python manage.py monolift manifests {module} --image "$IMAGE"']
    lines.append(f"--to {shlex.quote(folder)}")
    lines += [
        f"--{name.replace('_', '-')} {shlex.quote(value)}"
        for name, value in options.items()
        if name not in kept
    ]
    return "\n".join(lines)


def environment(service: Service, *, elsewhere: bool) -> str:
    """What decides beside the options, a variable a line.

    That is what this process was told; `elsewhere`, in a repository of the service's own, there is
    nothing but the service.
    """
    told = {name: os.environ[name] for name in _DECIDING if os.environ.get(name)}
    if elsewhere:
        told["MONOLIFT_DEPLOYABLE"] = service.deployable
    else:
        told |= _topology() | _urls()
    return "\n".join(f"{name}: {json.dumps(value)}" for name, value in sorted(told.items()))


def _topology() -> dict[str, str]:
    given = os.environ.get("MONOLIFT_TOPOLOGY")
    if not given:
        return {}
    path, root = Path(given).absolute(), Path.cwd()
    return {
        "MONOLIFT_TOPOLOGY": path.relative_to(root).as_posix()
        if path.is_relative_to(root)
        else given
    }


def _urls() -> dict[str, str]:
    """Where the others are, unless the file says so: some day it may have modules there."""
    roles = topology().deployables
    named = sorted(name for name, role in roles.items() if name != here() and not role.url)
    return {"MONOLIFT_URLS": ",".join(f"{one}={usual_url(one)}" for one in named)} if named else {}
