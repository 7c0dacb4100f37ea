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
}
_TABLE_ONLY = ("ingress", "callers", "callees")


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    for name, (metavar, about) in _OPTIONS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=about)


def parameters(options: argparse.Namespace, root: Path) -> dict[str, Any]:
    """Those that are given, for `monolift.lift.service`. ServiceError for an unknown one."""
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
    chosen = {name: getattr(options, name) for name in _OPTIONS if getattr(options, name)}
    name = str(document.get("project", {}).get("name") or root.name).lower()
    return {
        "image": f"{name}:latest",
        "organisation": monolift.get("codeowners", {}).get("organisation", ""),
        **table,
        **chosen,
    }
