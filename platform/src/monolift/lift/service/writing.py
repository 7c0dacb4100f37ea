"""Everything that a deployable needs, as a folder of files."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from monolift.lift.service.alerts import monitoring as alerts_of
from monolift.lift.service.dashboard import dashboard
from monolift.lift.service.errors import ServiceError
from monolift.lift.service.facts import Service, describe
from monolift.lift.service.filling import filled, save
from monolift.lift.service.kubernetes import objects
from monolift.lift.service.repeating import command, environment


def write_manifests(
    *,
    module: str,
    folder: Path,
    image: str = "monolift-shop:latest",
    namespace: str = "shop",
    monitoring: str = "monitoring",
    ingress: str = "",
    database_cidr: str = "0.0.0.0/0",
    organisation: str = "",
    shown: str = "",
    alone: bool = False,
    callers: Sequence[str] = (),
    callees: Sequence[str] = (),
    stream: str = "",
    database_ports: Sequence[int] = (),
    topology: str = "",
    kept: Collection[str] = (),
) -> list[Path]:
    """Write what runs and watches the deployable of a module; the paths, in order.

    Overwrites what an earlier run wrote, so it may be repeated; the same topology gives the same
    bytes. `monitoring` and `ingress` are the namespaces of Prometheus and of what routes public
    requests to it, empty when nothing does; `shown` is the folder as the workflow sees it from the
    repository's root; `alone`, `callers`, `callees`, `stream` and `database_ports` are those of
    `describe`; `topology` is the text of its file where that is not the project's own. The workflow
    writes the same files again: `kept` are the parameters that it need not name, since they stand
    in pyproject.toml. Raises ServiceError, with nothing written, for what is not known or no good.
    """
    service = describe(
        module=module,
        image=image,
        namespace=namespace,
        alone=alone,
        callers=callers,
        callees=callees,
        stream=stream,
        database_ports=database_ports,
    )
    if topology:
        service = replace(service, topology=topology)
    for name in (monitoring, ingress):
        _check_namespace(name)
    _check_network(database_cidr)
    texts = {
        f"kubernetes/{name}": text
        for name, text in objects(
            service, monitoring=monitoring, ingress=ingress, database_cidr=database_cidr
        ).items()
    }
    texts |= {f"monitoring/{name}": text for name, text in alerts_of(service).items()}
    texts["monitoring/dashboard.json"] = dashboard(service)
    place = shown or PurePosixPath("deploy", service.name).as_posix()
    values = {
        "name": service.name,
        "system": service.system,
        "module": module,
        "deployable": service.deployable,
        "owner": service.owner,
        "modules": _named(service.hosts),
        "callers": _named(service.callers),
        "callees": _named(service.callees),
        "folder": place,
        "command": command(
            service,
            module=module,
            folder=place,
            monitoring=monitoring,
            database_cidr=database_cidr,
            kept=kept,
        ),
        "told": environment(service, elsewhere=bool(topology)),
    }
    texts["runbook.md"] = filled("runbook.md.txt", values)
    texts["README.md"] = filled("README.md.txt", values)
    texts["workflow.yaml"] = filled("workflow.yaml.txt", values)
    texts["CODEOWNERS"] = f"/{place}/ @{_team(organisation, service)}\n"
    return save(folder, texts)


def _named(names: Sequence[str]) -> str:
    return ", ".join(names) or "nobody"


def _team(organisation: str, service: Service) -> str:
    return f"{organisation}/{service.owner}" if organisation else service.owner


def _check_namespace(name: str) -> None:
    if name and not name.replace("-", "").isalnum():
        raise ServiceError(f"{name!r} is no namespace. Use lower-case letters, digits and -.")


def _check_network(cidr: str) -> None:
    import ipaddress

    try:
        ipaddress.ip_network(cidr)
    except ValueError:
        raise ServiceError(f"{cidr!r} is no network. Say --database-cidr 10.0.0.0/24.") from None
