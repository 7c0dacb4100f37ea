"""What `monolift eject` writes: a repository that stands by itself."""

import ast
import os
import re
import shutil
import subprocess
import tomllib
from argparse import Namespace
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command

from monolift.lift.service.errors import ServiceError
from monolift.management.clusters import parameters
from tests.library.running import ROOT
from tests.library.service.ejecting import copied, deployed_again, ejected, make, manage, texts

ALL = (
    "catalog inventory notifications orders payments pricing profiles recommendations search "
    "shipping"
).split()
# `make test-ejected` takes each.
CHOSEN = ALL if os.environ.get("MONOLIFT_EJECT") == "all" else ["inventory"]


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("eject") / "inventory"
    before = changes()
    ejected("inventory", folder)
    assert changes() == before, "the project itself is touched"
    return folder


def changes() -> str:
    """What git sees in the project."""
    seen = subprocess.run(
        ["git", "status", "--porcelain", "--", "modules", "config", "contracts", "tests"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return seen.stdout


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It calls five others, hears one and tells two."""
    folder = tmp_path_factory.mktemp("eject") / "orders"
    options = ("--namespace", "prod", "--stream", "redis", "--database-ports", "6432")
    ejected("orders", folder, *options)
    return folder


@pytest.mark.parametrize("module", CHOSEN)
def test_its_own_tests_pass(tmp_path: Path, module: str) -> None:
    """As many as pass in the monolith with the module alone."""
    folder = tmp_path / module
    ejected(module, folder)
    done = make("test", folder)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed, done.stdout
    tests = sum(path.name.startswith("test_") for path in folder.rglob("tests/modules/*/*.py"))
    there = sum(
        path.name.startswith("test_") for path in (ROOT / "tests/modules" / module).iterdir()
    )
    assert tests == there
    assert int(passed[1]) >= there
    checked = make("check", folder)
    assert checked.returncode == 0, checked.stderr


def usual_layout(folder: Path) -> Path:
    """The project with settings in several files, relative imports, and a module called media."""
    copied(folder, "tests/__init__.py", "tests/modules", "tests/holds.py", "pyproject.toml")
    config = folder / "config"
    text = (config / "settings.py").read_text()
    parents = "Path(__file__).resolve().parent.parent"
    assert text.count(parents) == 1
    (config / "settings.py").unlink()
    (config / "settings").mkdir()
    for name, said in {
        "__init__": "",
        "base": text.replace(parents, f"{parents}.parent").replace(
            "MODULES = (\n", 'MODULES = (\n    "media",\n'
        ),
        "local": "from .base import *\n",
        "production": 'from .base import *\n\nPAYMENTS["RETRIES"] = 3\nMEDIA_ROOT = "/srv/media"\n',
    }.items():
        (config / "settings" / f"{name}.py").write_text(said)
    for path, module in {"manage.py": "local", "config/wsgi.py": "production"}.items():
        text = (folder / path).read_text()
        assert text.count('"config.settings"') == 1
        (folder / path).write_text(text.replace('"config.settings"', f'"config.settings.{module}"'))
    (folder / "modules" / "media").mkdir()
    (folder / "modules" / "media" / "__init__.py").write_text('"""Pictures and films."""\n')
    (folder / "modules" / "media" / "apps.py").write_text(
        "from monolift import Module\n\n\nclass MediaModule(Module):\n"
        '    name = "modules.media"\n    owner = "team-supply"\n'
    )
    models = config / "identity" / "models.py"
    before, manager, after = re.split(
        r"(class UserManager.*?\n)(?=\n\nclass )", models.read_text(), flags=re.DOTALL
    )
    (config / "identity" / "managers.py").write_text(before + manager)
    models.write_text(f"{before}from .managers import UserManager\n{after}")
    return folder


def test_settings_in_several_files_and_relative_imports_go_along(tmp_path: Path) -> None:
    project = usual_layout(tmp_path / "project")
    folder = tmp_path / "inventory"
    ejected("inventory", folder, project=project)
    checked = make("check", folder)
    assert checked.returncode == 0, checked.stderr
    done = make("test", folder, "PYTEST_ARGS=tests/modules/inventory/test_admin.py")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    told = manage(
        *("shell", "--no-imports", "-c"),
        "from django.conf import settings; print(settings.MEDIA_ROOT)",
        folder=folder,
        MONOLIFT_DEPLOYABLE="inventory",
        MONOLIFT_DATA=str(tmp_path / "var"),
        DJANGO_SETTINGS_MODULE="config.settings.production",
    )
    assert told.stdout == "/srv/media\n", told.stderr
    assert not (folder / "modules" / "media").exists()


def test_the_module_is_the_same_to_the_byte(inventory: Path) -> None:
    own = [
        path for path in (ROOT / "modules/inventory").rglob("*") if path.suffix in (".py", ".html")
    ]
    assert own
    for path in own:
        assert (inventory / path.relative_to(ROOT)).read_bytes() == path.read_bytes()


def test_of_other_modules_only_contracts_are_there(orders: Path) -> None:
    there = {path.name for path in (orders / "modules").iterdir() if path.is_dir()}
    assert there == {
        *("catalog", "inventory", "notifications", "orders", "payments", "pricing"),
        *("profiles", "recommendations", "shipping"),
    }
    for label in there - {"orders"}:
        assert not (orders / "modules" / label / "models.py").exists()
        assert not (orders / "modules" / label / "services.py").exists()
        assert not (orders / "modules" / label / "services").exists()
        assert (orders / "modules" / label / "interface.py").exists()


def test_everything_that_is_imported_when_it_is_loaded_is_there(orders: Path) -> None:
    """Of the project's own: nothing leads back into the monolith."""
    ours = {path.name for path in orders.iterdir() if path.is_dir()}
    missing = set()
    for path in orders.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ImportFrom) and node.module:
                base = orders.joinpath(*node.module.split("."))
                if node.module.split(".")[0] in ours and not (
                    base.with_suffix(".py").exists() or (base / "__init__.py").exists()
                ):
                    missing.add((path.relative_to(orders).as_posix(), node.module))
    assert missing == set()


def test_no_file_of_it_names_what_stayed(inventory: Path) -> None:
    for path in (inventory / "config").rglob("*.py"):
        text = path.read_text()
        for label in set(ALL) - {"inventory", "notifications"}:
            assert f"modules.{label}" not in text, path
    settings = (inventory / "config" / "settings.py").read_text()
    assert 'MODULES = (\n    "inventory",\n    "notifications",\n)' in settings


def test_whom_it_tells_of_events_is_known(inventory: Path, tmp_path: Path) -> None:
    """Without it the relay would tell nobody, and the events would be gone."""
    code = (
        "from monolift.events.relay import audience; a = audience('default'); print(a.elsewhere, a)"
    )
    done = manage(
        *("shell", "--no-imports", "-c", code),
        folder=inventory,
        MONOLIFT_DEPLOYABLE="inventory",
        MONOLIFT_DATA=str(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("True ")
    assert '["inventory.stock_low.v1","inventory","notifications",' in done.stdout


def test_its_manifests_are_made_anew_to_the_byte(inventory: Path, tmp_path: Path) -> None:
    """There too, where nobody knows who calls it: that stands in its pyproject.toml."""
    done = manage(
        *("monolift", "manifests", "inventory", "--to", str(tmp_path / "again")),
        folder=inventory,
        MONOLIFT_DEPLOYABLE="inventory",
        MONOLIFT_DATA=str(tmp_path / "var"),
    )
    assert done.returncode == 0, done.stderr
    made = [*(tmp_path / "again").glob("*/*")]
    assert len(made) > 15
    for path in made:
        name = path.relative_to(tmp_path / "again")
        assert path.read_bytes() == (inventory / "deploy" / name).read_bytes(), name


@pytest.mark.parametrize("module", ["inventory", "orders"])
def test_its_workflow_deploys_what_is_there(
    request: pytest.FixtureRequest, tmp_path: Path, module: str
) -> None:
    folder = shutil.copytree(request.getfixturevalue(module), tmp_path / module)
    workflow = f".github/workflows/{module}.yaml"
    before = texts(folder / "deploy")
    deployed_again(folder, workflow, image=f"{module}:latest")
    after = texts(folder / "deploy")
    assert after.pop(Path("workflow.yaml")) == (folder / workflow).read_bytes()
    assert after.pop(Path("CODEOWNERS"))
    assert after == before


def test_the_public_prefix_is_routed(inventory: Path) -> None:
    route = yaml.safe_load((inventory / "deploy/ingress/httproute.yaml").read_text())
    (rule,) = route["spec"]["rules"]
    assert [match["path"]["value"] for match in rule["matches"]] == ["/api/v1/inventory"]
    service = yaml.safe_load((inventory / "deploy/kubernetes/service.yaml").read_text())
    (backend,) = rule["backendRefs"]
    assert backend["name"] == service["metadata"]["name"]
    assert backend["port"] == service["spec"]["ports"][0]["port"]
    assert (
        "location ~ ^/api/v1/inventory(/|$) {"
        in (inventory / "deploy/ingress/nginx.conf").read_text()
    )
    policy = yaml.safe_load((inventory / "deploy/kubernetes/network.yaml").read_text())
    names = [
        peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for rule in policy["spec"]["ingress"]
        for peer in rule["from"]
        if "namespaceSelector" in peer
    ]
    assert names == ["monitoring", "ingress"]


def test_what_needs_accounts_stays_at_the_edge(orders: Path) -> None:
    """Who somebody is is known there."""
    assert not (orders / "deploy" / "ingress").exists()
    readme = (orders / "README.md").read_text()
    assert "- `/api/v1/baskets`\n- `/api/v1/orders`" in readme


def test_what_it_depends_on_is_what_it_says(inventory: Path) -> None:
    document = tomllib.loads((inventory / "pyproject.toml").read_text())
    assert any(one.startswith("monolift[") for one in document["project"]["dependencies"])
    assert document["tool"]["uv"]["sources"]["monolift"]["path"] == str(ROOT / "platform")
    names = {re.split(r"[<>=]", one)[0] for one in document["dependency-groups"]["dev"]}
    assert names == {"hypothesis", "pytest", "pytest-django"}


def test_the_image_copies_what_is_there(inventory: Path) -> None:
    text = (inventory / "Dockerfile").read_text()
    assert re.search(r"^USER service$", text, re.MULTILINE)
    assert "MONOLIFT_DEPLOYABLE=inventory" in text
    assert '"3.12"' not in text


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["attic", "--to", "{new}"], "There is no module 'attic'. Installed: cards"),
        (["storefront", "--to", "{new}"], "storefront provides no interface, so no other"),
        (["inventory", "--to", "{full}"], "is there and not an empty folder. Choose another --to"),
        (["inventory", "--to", "modules/x"], "is inside the project, where its files would be"),
        (["inventory", "--to", "{new}", "--monolift", "{full}"], "names a checkout of it"),
        (["inventory", "--to", "{new}", "--image", "x"], "'x' is no image with a tag"),
    ],
    ids=["unknown", "no interface", "not empty", "inside", "no checkout", "no tag"],
)
def test_what_cannot_be_is_named_and_nothing_written(
    tmp_path: Path, arguments: list[str], problem: str
) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "file").write_text("")
    new = tmp_path / "new"
    given = [one.format(new=new, full=full) for one in arguments]
    with pytest.raises(CommandError, match=re.escape(problem)) as refused:
        call_command("monolift", "eject", *given)
    assert "\n" not in str(refused.value)
    assert not new.exists()


def test_an_unknown_parameter_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.monolift.service]\nnamspace = 'x'\n")
    options = Namespace(image=None, namespace=None, monitoring=None, database_cidr=None)
    with pytest.raises(ServiceError, match=r"has 'namspace'\. It may have: callees, callers"):
        parameters(options, tmp_path)


def test_options_come_before_the_file(tmp_path: Path) -> None:
    table = "[project]\nname = 'Books'\n[tool.monolift.service]\nnamespace = 'x'\n"
    (tmp_path / "pyproject.toml").write_text(table)
    options = Namespace(image=None, namespace="y", monitoring=None, database_cidr=None)
    assert parameters(options, tmp_path) == {
        "image": "books:latest",
        "organisation": "",
        "namespace": "y",
        "kept": [],
    }
