"""The deployables that modules are lifted into, on this machine: started when the topology needs
them, kept alive, and ended when nothing is there any more.

What needs them says the topology's file, and before it the truth row, as the control deployable's
processes leave it in the data folder.
"""

import json
import os
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from monolift.supervise import beside, stacks
from monolift.supervise.answers import Address
from monolift.supervise.deployables import keys_file
from monolift.supervise.preflight import any_free_port
from monolift.supervise.processes import Process
from monolift.supervise.stacks import Plan
from monolift.supervise.supervisor import Supervisor, say

_PAUSE = 5.0
"""Seconds after which a deployable that could not be prepared is tried again."""
_DOCUMENT = Path("topology", "document.json")


class Fleet:
    """What may run beside the control deployable, and what does."""

    def __init__(
        self, supervisor: Supervisor, plan: Plan, *, celery: bool, environment: Mapping[str, str]
    ) -> None:
        self._supervisor = supervisor
        self._plan = plan
        self._celery = celery
        self._seen = -1
        self._again_at = 0.0
        self._tiers: dict[str, list[Process]] = {}
        self.environment = dict(environment)
        """What every process of the run is told."""
        declared = _declared(plan)
        self._control, *names = declared.get("deployables") or {"": {}}
        self._addresses = {name: Address("127.0.0.1", any_free_port()) for name in names}
        self._placed = {
            label: {entry.get("deployable", self._control)}
            for label, entry in declared.get("modules", {}).items()
        }
        self._databases = (
            {}
            if "MONOLIFT_POSTGRES" in environment
            else {
                f"MONOLIFT_DATABASE_{alias.upper()}": str(plan.data / f"{alias}.sqlite3")
                for alias in declared.get("databases", {})
            }
        )
        if names:
            urls = {self._control: plan.address.url} | {
                name: address.url for name, address in self._addresses.items()
            }
            told = {
                "MONOLIFT_URLS": ",".join(f"{name}={url}" for name, url in urls.items()),
                "MONOLIFT_KEYS": str(keys_file(plan.data, [self._control, *names])),
            }
            self.environment |= told
            beside.tell(plan.data, self.environment)

    @property
    def running(self) -> dict[str, Address]:
        """The deployables that run, with their addresses."""
        return {name: self._addresses[name] for name in self._tiers}

    def look(self) -> None:
        """Start what is needed and does not run, and end what runs and is not needed."""
        changed = _changed(self._plan.data / _DOCUMENT)
        if changed == self._seen and not 0 < self._again_at < monotonic():
            return
        self._seen, self._again_at = changed, 0.0
        needed = self._needed()
        for name in self._addresses:
            if name in needed and name not in self._tiers:
                self._start(name)
            elif name not in needed and name in self._tiers:
                say(f"{name} is not needed any more.")
                self._supervisor.end(self._tiers.pop(name))

    def _needed(self) -> set[str]:
        places = dict(self._placed)
        try:
            document = json.loads((self._plan.data / _DOCUMENT).read_text())
        except (OSError, ValueError):
            document = {}
        for label, place in document.get("places", {}).items():
            trial = place.get("trial") or {}
            places[label] = {place["deployable"], trial.get("deployable", place["deployable"])}
        return set().union(*places.values())

    def _start(self, name: str) -> None:
        address = self._addresses[name]
        say(f"{name} is started: {address.url}")
        data = self._plan.data / "deployables" / name
        (data / _DOCUMENT).parent.mkdir(parents=True, exist_ok=True)
        if (self._plan.data / _DOCUMENT).exists():
            shutil.copy(self._plan.data / _DOCUMENT, data / _DOCUMENT)
        plan = self._plan._replace(data=data, address=address, sample=False)
        environment = {
            **self.environment,
            **self._databases,
            "MONOLIFT_DEPLOYABLE": name,
            "MONOLIFT_DATA": str(data),
            "MONOLIFT_SHARED": str(self._plan.data),
        }
        if control := environment.get("MONOLIFT_POSTGRES"):
            server = urlsplit(control)
            own = server._replace(path=f"{server.path}_at_{name}").geturl()
            environment |= {"MONOLIFT_POSTGRES": own, "MONOLIFT_CONTROL_POSTGRES": control}
        if any(self._supervisor.run_to_end([stacks.preparation(plan, environment, of=name)])):
            say(f"{name} could not be prepared; the reason is above. It is tried again.")
            self._again_at = monotonic() + _PAUSE
            return
        self._tiers[name] = self._supervisor.keep(
            stacks.roles(plan, celery=self._celery, environment=environment, of=name)
        )


def _declared(plan: Plan) -> Mapping[str, Any]:
    """The topology's file; empty for a project without one."""
    file = os.environ.get("MONOLIFT_TOPOLOGY") or plan.project.folder / "config" / "topology.toml"
    try:
        return tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # the project's processes say what is wrong with it


def _changed(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
