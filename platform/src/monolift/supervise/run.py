"""`monolift run`: from a folder to a running project, and back to nothing on Ctrl-C."""

import contextlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from monolift.supervise import beside, stacks
from monolift.supervise.answers import Address
from monolift.supervise.deployables import Role, alone, of_topology
from monolift.supervise.lifted import Fleet
from monolift.supervise.preflight import DataLock, Refused, data_folder, free_port
from monolift.supervise.project import find
from monolift.supervise.stacks import Plan
from monolift.supervise.supervisor import GivenUp, StopRequested, Supervisor, say

_SLOW = 60.0

STACKS = {"embedded": stacks.embedded, "full": stacks.full}


def run(
    *,
    host: str,
    port: int,
    data: str,
    stack: str,
    server: str,
    sample: bool,
    topology: str | None = None,
) -> int:
    """Run the project of the working folder until it is told to stop; the exit code.

    As one deployable, or as those that the file `topology` names. 0 after Ctrl-C or SIGTERM, 1
    when it cannot start or a process does not stay alive.
    """
    lock: DataLock | None = None
    try:
        project = find()
        folder = data_folder(data)
        lock = DataLock(folder)
        beside.forget(folder)
        free_port(host=host, port=port)
        plan = Plan(project, folder, Address(host, port), server, sample)
        parts = of_topology(Path(topology), plan) if topology else alone(plan)
        with Supervisor() as supervisor:
            _run(supervisor, plan, parts, stack)
    except StopRequested:
        say("Stopped.")
        return 0
    except (Refused, GivenUp) as error:
        sys.stderr.write(f"monolift: {error}\n")
        return 1
    finally:
        if lock is not None:
            beside.forget(lock.folder)
            lock.release()
    return 0


def _run(supervisor: Supervisor, plan: Plan, parts: Sequence[Role], stack: str) -> None:
    of_stack = STACKS[stack](supervisor, plan)
    environments = {}
    for part in parts:
        _forget_dead_workers(part.plan)
        environments[part.name] = {
            "MONOLIFT_DATA": str(part.plan.data),
            "MONOLIFT_URL": plan.address.url,
            "DJANGO_SETTINGS_MODULE": plan.project.settings,
            **part.of_stack(of_stack),
            **part.environment,
        }
    edge, *others = parts
    celery = stack == "full"
    fleet = None
    # The sample goes into modules that may be in other deployables: those are started first.
    if edge.name:
        _start(supervisor, others, environments, celery=celery)
    else:
        fleet = Fleet(supervisor, edge.plan, celery=celery, environment=environments[edge.name])
        environments[edge.name] = fleet.environment
        fleet.look()
        for name, address in fleet.running.items():
            _until_it_serves(supervisor, address, name)
    _prepare(supervisor, environments, [edge.plan], [edge])
    supervisor.keep(
        stacks.roles(edge.plan, celery=celery, environment=environments[edge.name], of=edge.name)
    )
    address = plan.address
    _until_it_serves(supervisor, address, "")
    say("")
    for title, path in stacks.pages(edge.plan):
        say(f"  {title:<9} {address.url}{path}")
    for part in others:
        say(f"  {part.name:<9} {part.plan.address.url}")
    say(f"  {'Data':<9} {plan.data}")
    say("  Ctrl-C stops everything.\n")
    if fleet is None:
        supervisor.forever()
    else:
        supervisor.forever(fleet.look)


def _start(
    supervisor: Supervisor,
    parts: Sequence[Role],
    environments: Mapping[str, Mapping[str, str]],
    *,
    celery: bool,
) -> None:
    """Prepare and start deployables, and wait until they serve."""
    plans = [part.plan._replace(sample=False) for part in parts]
    _prepare(supervisor, environments, plans, parts)
    for part in parts:
        supervisor.keep(
            stacks.roles(
                part.plan, celery=celery, environment=environments[part.name], of=part.name
            )
        )
    for part in parts:
        _until_it_serves(supervisor, part.plan.address, part.name)


def _prepare(
    supervisor: Supervisor,
    environments: Mapping[str, Mapping[str, str]],
    plans: Sequence[Plan],
    parts: Sequence[Role],
) -> None:
    recipes = [
        stacks.preparation(plan, environments[part.name], of=part.name)
        for plan, part in zip(plans, parts, strict=True)
    ]
    if any(supervisor.run_to_end(recipes)):
        raise Refused("The databases could not be prepared; the reason is above.")


def _until_it_serves(supervisor: Supervisor, address: Address, name: str) -> None:
    def serves() -> bool:
        # A project without /healthz serves as soon as it says that it has none.
        return address.status("/healthz") in (200, 404)

    if not supervisor.until(serves, seconds=_SLOW):
        say(f"{name} {address.url}/healthz is not well after {_SLOW:.0f} s; still waiting.".strip())
        supervisor.until(serves, seconds=float("inf"))


def _forget_dead_workers(plan: Plan) -> None:
    """Remove the wake-up ports of workers that were killed; those that live now leave new ones."""
    with contextlib.suppress(OSError):
        for port in (plan.data / "wake").iterdir():
            port.unlink()
