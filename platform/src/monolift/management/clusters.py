"""What differs from cluster to cluster: options of a verb, else `[tool.monolift.service]`."""

import argparse
import tomllib
from pathlib import Path
from typing import Any

_OPTIONS = {
    "image": ("NAME:TAG", "the image (default: the project's name, :latest)"),
    "namespace": ("NAME", "of the whole system (default: shop)"),
    "monitoring": ("NAMESPACE", "where Prometheus runs (default: monitoring)"),
    "database_cidr": ("NETWORK", "where database servers are (default: 0.0.0.0/0, by their port)"),
    "database_ports": ("PORT,...", "where they listen (default: as in DATABASES, else 5432)"),
    "stream": ("NAME", "how events go: http, redis or kafka (default: MONOLIFT['STREAM'])"),
}
_TABLE_ONLY = ("ingress", "callers", "callees")


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    for name, (metavar, about) in _OPTIONS.items():
        kind = _ports if name == "database_ports" else str
        parser.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=about, type=kind)


def _ports(given: str) -> list[int]:
    try:
        return [int(port) for port in given.split(",")]
    except ValueError:
        message = f"{given!r} is no list of ports, like 5432,6432"
        raise argparse.ArgumentTypeError(message) from None


def parameters(options: argparse.Namespace, root: Path) -> dict[str, Any]:
    """Those that are given, for `monolift.lift.service`; `kept` are those of the file that count.

    ServiceError for an unknown one.
    """
    from monolift.lift.service.errors import ServiceError

    try:
        document = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        document = {}
    except (OSError, ValueError) as error:
        raise ServiceError(f"pyproject.toml cannot be read: {error}.") from None
    monolift = document.get("tool", {}).get("monolift", {})
    table = monolift.get("service", {})
    known = (*_OPTIONS, *_TABLE_ONLY)
    if unknown := sorted(table.keys() - {*known}):
        raise ServiceError(
            f"pyproject.toml: [tool.monolift.service] has {unknown[0]!r}. It may have: "
            f"{', '.join(sorted(known))}."
        )
    given = {name: getattr(options, name, None) for name in _OPTIONS}
    chosen = {name: value for name, value in given.items() if value is not None}
    name = str(document.get("project", {}).get("name") or root.name).lower()
    return {
        "image": f"{name}:latest",
        "organisation": monolift.get("codeowners", {}).get("organisation", ""),
        **table,
        **chosen,
        "kept": sorted(table.keys() - chosen.keys()),
    }
