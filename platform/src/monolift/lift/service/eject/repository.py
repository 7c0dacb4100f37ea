"""Writing a module as a repository of its own."""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from monolift.lift.service.eject.behind import Behind, behind
from monolift.lift.service.eject.metadata import document_of, pyproject
from monolift.lift.service.eject.plan import Plan, plan
from monolift.lift.service.eject.routes import Routes, routes_of
from monolift.lift.service.eject.topology import topology_there
from monolift.lift.service.errors import ServiceError
from monolift.lift.service.facts import PORT, describe
from monolift.lift.service.filling import filled, save
from monolift.lift.service.writing import write_manifests
from monolift.registry.modules import modules
from monolift.registry.settings import setting

_TESTS_SETTINGS = Path("tests", "settings.py")


@dataclass(frozen=True, kw_only=True)
class Ejected:
    """What was written."""

    folder: Path
    files: int
    routes: Routes
    behind: Behind
    left_tests: Mapping[Path, str]
    """Tests that stay, and what each needs that stays."""


def eject(
    *,
    module: str,
    root: Path,
    folder: Path,
    image: str,
    namespace: str = "shop",
    monitoring: str = "monitoring",
    database_cidr: str = "0.0.0.0/0",
    database_ports: Sequence[int] = (),
    stream: str = "",
    ingress: str = "ingress",
    gateway: str = "public",
    organisation: str = "",
    monolift: Path | None = None,
) -> Ejected:
    """Write the repository of a module below an empty folder; the project itself is not touched.

    `ingress` is the namespace of what routes public requests, `gateway` its Gateway; `monolift` is
    a checkout to take the library from until it comes from an index. Raises ServiceError, with
    nothing written, when it cannot be.
    """
    _check(module, root, folder, monolift)
    document = document_of(root)
    made = plan(module=module, root=root, tests=_tests(module, document))
    service = describe(
        module=module,
        image=image,
        namespace=namespace,
        alone=True,
        stream=stream,
        database_ports=database_ports,
    )
    routes = routes_of(module=module)
    skipped = document.get("tool", {}).get("pytest", {}).get("norecursedirs", ())
    left = behind(made, skipped=skipped)
    values = {
        "module": module,
        "name": service.name,
        "system": service.system,
        "deployable": service.deployable,
        "owner": service.owner,
        "settings": str(settings.SETTINGS_MODULE),
        "tests": made.tests.as_posix(),
        "port": PORT,
        "threads": service.threads,
        "gateway": gateway,
        "contracts": ", ".join(sorted(made.contracts)) or "none",
        "public": "".join(f"- `{prefix}`\n" for prefix in routes.free) or "None.\n",
        "guarded": "".join(f"- `{prefix}`\n" for prefix in routes.guarded) or "None.\n",
    }
    texts = {path.as_posix(): text for path, text in made.texts.items()}
    place, text = topology_there(made, service=service)
    texts[place.as_posix()] = text
    texts[_TESTS_SETTINGS.as_posix()] = filled("repository/tests_settings.py.txt", values)
    parameters = {
        "namespace": namespace,
        "monitoring": monitoring,
        "database_cidr": database_cidr,
        "database_ports": list(service.database_ports),
        "stream": service.stream,
        "callers": list(service.callers),
        "callees": list(service.callees),
        **({"ingress": ingress} if routes.free else {}),
    }
    texts["pyproject.toml"] = pyproject(
        made,
        document,
        name=image.rpartition("/")[2].partition(":")[0],
        monolift=monolift.resolve() if monolift else None,
        service=parameters,
    )
    for name in ("Makefile", "Dockerfile", "README.md"):
        texts[name] = filled(f"repository/{name}.txt", values)
    texts |= {
        ".gitignore": ".venv/\n__pycache__/\n*.pyc\nvar/\n.pytest_cache/\n",
        ".dockerignore": ".venv\nvar\ntests\ndeploy\n.git\n**/__pycache__\n",
        ".python-version": "3.12\n",
        "MONOLITH.md": left.page(module=module, name=service.name),
        "CODEOWNERS": f"* @{organisation}/{service.owner}\n".replace("@/", "@"),
    }
    if routes.free:
        texts |= _ingress(routes, values)
    texts |= _contract_files(made, root)
    save(folder, texts)
    for path in sorted(made.copies):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / path, folder / path)
    write_manifests(
        module=module,
        folder=folder / "deploy",
        image=image,
        namespace=namespace,
        monitoring=monitoring,
        database_cidr=database_cidr,
        ingress=ingress if routes.free else "",
        organisation=organisation,
        shown="deploy",
        alone=True,
        stream=service.stream,
        database_ports=service.database_ports,
        topology=text,
        kept=parameters,
    )
    workflow = folder / ".github" / "workflows" / f"{service.name}.yaml"
    workflow.parent.mkdir(parents=True, exist_ok=True)
    (folder / "deploy" / "workflow.yaml").rename(workflow)
    (folder / "deploy" / "CODEOWNERS").unlink()
    return Ejected(
        folder=folder,
        files=sum(path.is_file() for path in folder.rglob("*")),
        routes=routes,
        behind=left,
        left_tests=dict(made.left_tests),
    )


def _check(module: str, root: Path, folder: Path, monolift: Path | None) -> None:
    if module not in modules():
        raise ServiceError(
            f"There is no module {module!r}. Installed: {', '.join(sorted(modules()))}."
        )
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise ServiceError(f"{folder} is there and not an empty folder. Choose another --to.")
    if folder.resolve().is_relative_to(root.resolve()):
        raise ServiceError(
            f"{folder} is inside the project, where its files would be found twice. Choose a --to "
            "outside."
        )
    if monolift is not None and not (monolift / "pyproject.toml").is_file():
        raise ServiceError(f"{monolift} has no pyproject.toml: --monolift names a checkout of it.")
    if not setting("TOPOLOGY"):
        raise ServiceError(
            "There is no topology file, so nothing says where its neighbours are. Name one in "
            "MONOLIFT['TOPOLOGY']."
        )


def _tests(module: str, document: Mapping[str, Any]) -> str:
    """Where its tests are: where `--only-module` finds them."""
    table = document.get("tool", {}).get("pytest", {})
    pattern = table.get("monolift_module_tests") or table.get("ini_options", {}).get(
        "monolift_module_tests"
    )
    return str(pattern or "tests/modules/{module}").format(module=module)


def _ingress(routes: Routes, values: Mapping[str, Any]) -> dict[str, str]:
    locations = "\n".join(
        filled("repository/location.conf.txt", {**values, "prefix": re.escape(prefix)})
        for prefix in routes.free
    )
    matches = "".join(
        f'- path: {{type: PathPrefix, value: "{prefix}"}}\n' for prefix in routes.free
    )
    return {
        "deploy/ingress/nginx.conf": filled(
            "repository/nginx.conf.txt", {**values, "locations": locations}
        ),
        "deploy/ingress/httproute.yaml": filled(
            "repository/httproute.yaml.txt", {**values, "matches": matches}
        ),
    }


def _contract_files(made: Plan, root: Path) -> dict[str, str]:
    """The snapshots of its contract, and of those that it takes along."""
    found = {}
    for label in (made.module.label, *made.contracts):
        base = root / "contracts" / label
        for path in sorted(base.rglob("*.json")):
            part = path.relative_to(base).parts[0]
            if (
                label == made.module.label
                or part == "events"
                or len(path.relative_to(base).parts) == 1
            ):
                found[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8")
    return found
