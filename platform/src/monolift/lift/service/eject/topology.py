"""The topology as a repository of one module sees it."""

from pathlib import Path

from monolift.lift.service.eject.plan import Plan
from monolift.lift.service.facts import Service, usual_url
from monolift.registry.places import Deployable
from monolift.registry.settings import setting
from monolift.registry.topology import topology


def topology_there(made: Plan, *, service: Service) -> tuple[Path, str]:
    """The file's place in the repository, and what it says: only the modules that are there.

    Whoever else exists is known to the monolith, and to the truth row that both follow.
    """
    now = topology()
    given = Path(setting("TOPOLOGY")).absolute()
    inside = given.is_relative_to(made.source.root)
    folder = given.relative_to(made.source.root).parent if inside else Path()
    lines = ["# Where the module runs, and where those are that it calls or tells of events.", ""]
    names = dict.fromkeys((now.control, *now.deployables, service.deployable))
    for name in names:
        role = now.deployables.get(name, Deployable())
        lines.append(f"[deployables.{name}]")
        if name != service.deployable:
            lines.append(f'url = "{service.urls.get(name) or role.url or usual_url(name)}"')
        if role.resilience != "own":
            lines.append(f'resilience = "{role.resilience}"')
        if name == service.deployable:
            lines.append(f"replicas = [{service.replicas[0]}, {service.replicas[1]}]")
        lines.append("")
    places = {label: now.place(label).deployable for label in sorted(made.contracts)}
    places[made.module.label] = service.deployable
    for label, deployable in places.items():
        lines += [f"[modules.{label}]", f'deployable = "{deployable}"', ""]
    return folder / "topology.toml", "\n".join(lines)
