"""`monolift run`: from a folder to a running project, and back to nothing on Ctrl-C."""

import contextlib
import sys

from monolift.supervise import stacks
from monolift.supervise.answers import Address
from monolift.supervise.preflight import DataLock, Refused, data_folder, free_port
from monolift.supervise.project import find
from monolift.supervise.stacks import Plan
from monolift.supervise.supervisor import GivenUp, StopRequested, Supervisor, say

_SLOW = 60.0

STACKS = {"embedded": stacks.embedded, "full": stacks.full}


def run(*, host: str, port: int, data: str, stack: str, server: str, sample: bool) -> int:
    """Run the project of the working folder until it is told to stop; the exit code.

    0 after Ctrl-C or SIGTERM, 1 when it cannot start or a process does not stay alive.
    """
    lock: DataLock | None = None
    try:
        project = find()
        folder = data_folder(data)
        lock = DataLock(folder)
        free_port(host=host, port=port)
        plan = Plan(project, folder, Address(host, port), server, sample)
        with Supervisor() as supervisor:
            _run(supervisor, plan, stack)
    except StopRequested:
        say("Stopped.")
        return 0
    except (Refused, GivenUp) as error:
        sys.stderr.write(f"monolift: {error}\n")
        return 1
    finally:
        if lock is not None:
            lock.release()
    return 0


def _run(supervisor: Supervisor, plan: Plan, stack: str) -> None:
    _forget_dead_workers(plan)
    environment = {
        "MONOLIFT_DATA": str(plan.data),
        "MONOLIFT_URL": plan.address.url,
        "DJANGO_SETTINGS_MODULE": plan.project.settings,
        **STACKS[stack](supervisor, plan),
    }
    if supervisor.run_to_end(stacks.preparation(plan, environment)):
        raise Refused("The databases could not be prepared; the reason is above.")
    supervisor.keep(stacks.roles(plan, celery=stack == "full", environment=environment))
    address = plan.address

    def serves() -> bool:
        # A project without /healthz serves as soon as it says that it has none.
        return address.status("/healthz") in (200, 404)

    if not supervisor.until(serves, seconds=_SLOW):
        say(f"{address.url}/healthz is not well after {_SLOW:.0f} s; still waiting.")
        supervisor.until(serves, seconds=float("inf"))
    say("")
    for title, path in stacks.pages(plan):
        say(f"  {title:<9} {address.url}{path}")
    say(f"  {'Data':<9} {plan.data}")
    say("  Ctrl-C stops everything.\n")
    supervisor.forever()


def _forget_dead_workers(plan: Plan) -> None:
    """Remove the wake-up ports of workers that were killed; those that live now leave new ones."""
    with contextlib.suppress(OSError):
        for port in (plan.data / "wake").iterdir():
            port.unlink()
