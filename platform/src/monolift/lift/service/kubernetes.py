"""The Kubernetes objects of a service."""

from collections.abc import Iterable, Mapping

from monolift.lift.service.facts import PORT, STATUS_PORT, Service
from monolift.lift.service.filling import checksum, filled, yaml_list

WEB, WORKER = "web", "worker"
_WEB_GRACE = 30
_WORKER_DRAIN, _WORKER_GRACE = 30, 45
"""Seconds that running work has to end, and those until the process is killed."""


def objects(
    service: Service, *, monitoring: str, ingress: str, database_cidr: str
) -> dict[str, str]:
    """The files by their names below `kubernetes/`.

    `monitoring` is the namespace of Prometheus, `ingress` that of what routes public requests to
    it, or empty when nothing does.
    """
    variables = settings_of(service)
    common = {
        "name": service.name,
        "system": service.system,
        "image": service.image,
        "checksum": checksum(service.image, service.topology, *variables, *variables.values()),
        "port": PORT,
    }
    settings = "\n".join(f'{name}: "{value}"' for name, value in variables.items())
    texts = {
        "account.yaml": filled("kubernetes/account.yaml.txt", common),
        "settings.yaml": filled("kubernetes/settings.yaml.txt", {**common, "settings": settings}),
        "migration.yaml": filled("kubernetes/migration.yaml.txt", common),
        "service.yaml": filled("kubernetes/service.yaml.txt", common),
        "network.yaml": _network(
            service, common, monitoring=monitoring, ingress=ingress, database_cidr=database_cidr
        ),
    }
    if service.topology:
        texts["topology.yaml"] = filled(
            "kubernetes/topology.yaml.txt", {**common, "topology": service.topology}
        )
    for component in (WEB, WORKER):
        values = {**common, **_pods(service, component)}
        for kind in ("deployment", "autoscaler", "disruptions"):
            texts[f"{component}-{kind}.yaml"] = filled(f"kubernetes/{kind}.yaml.txt", values)
    resources = "".join(f"- {name}\n" for name in sorted(texts))
    texts["kustomization.yaml"] = filled(
        "kubernetes/kustomization.yaml.txt", {**common, "resources": resources}
    )
    return texts


def settings_of(service: Service) -> dict[str, str]:
    """What its processes are told by their environment; no secrets."""
    hosts = [service.name, f"{service.name}.{service.system}"]
    hosts += [f"{hosts[1]}.svc", f"{hosts[1]}.svc.cluster.local"]
    told = {
        "DJANGO_SETTINGS_MODULE": service.settings,
        "MONOLIFT_ENV": "production",
        "MONOLIFT_DEPLOYABLE": service.deployable,
        "MONOLIFT_DATA": "/data",
        "MONOLIFT_KEYS": "/etc/monolift/keys/keys.json",
        "MONOLIFT_URLS": ",".join(f"{name}={url}" for name, url in service.urls.items()),
        "MONOLIFT_WAKE": service.wake,
        "MONOLIFT_EXECUTOR": "threads",
        "ALLOWED_HOSTS": ",".join(hosts),
        "HOST": "0.0.0.0",  # noqa: S104 - a container's own address is not known before
        "PORT": str(PORT),
    }
    if service.stream != "http":
        told["MONOLIFT_STREAM"] = service.stream
    if service.topology:
        told["MONOLIFT_TOPOLOGY"] = "/etc/monolift/topology/topology.toml"
    return told


def _pods(service: Service, component: str) -> dict[str, object]:
    web = component == WEB
    command = (
        ["monolift", "web", "--threads", str(service.threads)]
        if web
        else [
            *("monolift", "worker", "--drain", str(_WORKER_DRAIN)),
            *("--status-host", "0.0.0.0", "--status-port", str(STATUS_PORT)),  # noqa: S104 - as above
        ]
    )
    fewest, most = service.replicas
    checks = (f"python manage.py migrate --check --database {alias}" for alias in service.aliases)
    return {
        "component": component,
        "pods": f"{service.name}-{component}",
        "fewest": fewest,
        "most": most,
        "grace": _WEB_GRACE if web else _WORKER_GRACE,
        "command": yaml_list(f'"{word}"' for word in command),
        "port": PORT if web else STATUS_PORT,
        "port_name": "http" if web else "status",
        "migrated": "; ".join(checks),
        "probes": filled(f"kubernetes/probes_{component}.yaml.txt", {"name": service.name}),
    }


def _network(
    service: Service,
    common: Mapping[str, object],
    *,
    monitoring: str,
    ingress: str,
    database_cidr: str,
) -> str:
    public = (
        "# What routes public requests to its endpoints.\n"
        "- from:\n"
        "    - namespaceSelector:\n"
        "        matchLabels:\n"
        f"          kubernetes.io/metadata.name: {ingress}\n"
        "  ports: [{port: http}]\n"
    )
    return filled(
        "kubernetes/network.yaml.txt",
        {
            **common,
            "callers": yaml_list(service.callers),
            "callees": yaml_list(service.callees),
            "monitoring": monitoring,
            "public": public if ingress else "",
            "servers": "" if service.stream == "http" else ", and the stream's server",
            "database_cidr": database_cidr,
            "database_ports": yaml_list(_ports(service)),
        },
    )


def _ports(service: Service) -> Iterable[str]:
    streams = {"redis": (6379,), "kafka": (9092,)}.get(service.stream, ())
    return (f"{{port: {port}}}" for port in (*service.database_ports, *streams))
