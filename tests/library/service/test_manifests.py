"""What `monolift manifests` writes: valid for those who read it, and true to the topology."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from django.core.management import CommandError, call_command
from pytest_django import Settings

from monolift.gateway.metrics import METRICS
from monolift.lift.service import write_manifests
from monolift.lift.service.errors import ServiceError
from monolift.registry import topology as registry
from monolift.registry.settings import setting
from tests.library.service.ejecting import copied, deployed_again, manage, texts

SHOP = (
    "profiles catalog pricing payments shipping orders search recommendations storefront "
    "notifications stock cards sales"
).split()
TOPOLOGY = (
    '[deployables.shop]\n[deployables.goods]\nreplicas = [3, 9]\n[deployables.pay_desk]\nurl = "http://p:81"\n'
    + "".join(f'[modules.{label}]\ndeployable = "shop"\n' for label in SHOP if label != "payments")
    + '[modules.inventory]\ndeployable = "goods"\n[modules.payments]\ndeployable = "pay_desk"\n'
)


@pytest.fixture
def topology(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "topology.toml"
    file.write_text(TOPOLOGY)
    settings.MONOLIFT = {
        **settings.MONOLIFT,
        "TOPOLOGY": file,
        "URLS": {"goods": "http://127.0.0.1:5001"},  # of a laptop: no address for a cluster
    }
    registry.reset()
    yield file
    registry.reset()


@pytest.fixture
def folder(topology: Path, tmp_path: Path) -> Path:
    """What is written for inventory, which is in a deployable called goods."""
    write_manifests(module="inventory", folder=tmp_path / "goods", image="shop:1.4.2")
    return tmp_path / "goods"


def objects(folder: Path) -> list[dict[str, Any]]:
    return [
        yaml.safe_load(path.read_text())
        for path in sorted((folder / "kubernetes").glob("*.yaml"))
        if path.name != "kustomization.yaml"
    ]


def one(folder: Path, kind: str, name: str) -> dict[str, Any]:
    (found,) = [
        made
        for made in objects(folder)
        if made["kind"] == kind and made["metadata"]["name"] == name
    ]
    return found


def test_kubernetes_knows_every_field(folder: Path) -> None:
    made = objects(folder)
    assert {one["kind"] for one in made} == {
        *("ConfigMap", "Deployment", "HorizontalPodAutoscaler", "Job", "NetworkPolicy"),
        *("PodDisruptionBudget", "Service", "ServiceAccount"),
    }
    for resource in made:
        kubernetes_validate.validate(resource, "1.32", strict=True)


def test_the_list_of_files_is_all_of_them(folder: Path) -> None:
    listed = yaml.safe_load((folder / "kubernetes" / "kustomization.yaml").read_text())
    there = {path.name for path in (folder / "kubernetes").iterdir()} - {"kustomization.yaml"}
    assert set(listed["resources"]) == there
    assert listed["namespace"] == "shop"


def test_what_is_named_exists(folder: Path) -> None:
    """Selectors find the pods, autoscalers their deployments, probes their ports."""
    made = objects(folder)
    accounts = {x["metadata"]["name"] for x in made if x["kind"] == "ServiceAccount"}
    maps = {x["metadata"]["name"] for x in made if x["kind"] == "ConfigMap"}
    pods = {x["metadata"]["name"]: x["spec"]["template"] for x in made if x["kind"] == "Deployment"}
    assert set(pods) == {"goods-web", "goods-worker"}
    for template in pods.values():
        spec = template["spec"]
        (container,) = spec["containers"]
        assert spec["serviceAccountName"] in accounts
        ports = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            (asked,) = [
                container[probe][key] for key in ("httpGet", "tcpSocket") if key in container[probe]
            ]
            assert asked["port"] in ports
        for volume in spec["volumes"]:
            assert volume.get("configMap", {}).get("name", "goods") in maps
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in spec["volumes"]}
    for resource in made:
        if resource["kind"] == "HorizontalPodAutoscaler":
            assert resource["spec"]["scaleTargetRef"]["name"] in pods
    web = pods["goods-web"]["metadata"]["labels"].items()
    assert one(folder, "Service", "goods")["spec"]["selector"].items() <= web


def test_it_is_told_its_role_and_where_the_others_are(folder: Path, topology: Path) -> None:
    told = one(folder, "ConfigMap", "goods")["data"]
    assert told["MONOLIFT_DEPLOYABLE"] == "goods"
    assert told["MONOLIFT_URLS"] == "pay_desk=http://p:81,shop=http://shop:8000"
    assert told["MONOLIFT_ENV"] == "production"
    assert "goods.shop.svc" in told["ALLOWED_HOSTS"].split(",")
    carried = one(folder, "ConfigMap", "goods-topology")["data"]["topology.toml"]
    assert carried == topology.read_text()
    settings = (Path(__file__).parents[3] / "config" / "settings.py").read_text()
    read_by_the_library = {"DJANGO_SETTINGS_MODULE", "HOST", "PORT", "MONOLIFT_DEPLOYABLE"}
    assert {name for name in told if f'"{name}"' not in settings} <= read_by_the_library


def test_a_web_process_has_more_threads_than_calls_to_serve(folder: Path) -> None:
    """Else its probes would wait behind them."""
    (web,) = one(folder, "Deployment", "goods-web")["spec"]["template"]["spec"]["containers"]
    assert web["command"][:3] == ["monolift", "web", "--threads"]
    threads = int(web["command"][3])
    assert threads > setting("SERVES_AT_ONCE")
    assert threads > 2 * setting("CALLS_AT_ONCE")


def test_secrets_are_referred_to(folder: Path) -> None:
    for name in ("goods-web", "goods-worker"):
        (container,) = one(folder, "Deployment", name)["spec"]["template"]["spec"]["containers"]
        secret = {one["name"]: one["valueFrom"]["secretKeyRef"]["name"] for one in container["env"]}
        assert secret == dict.fromkeys(
            ("SECRET_KEY", "DATABASE_URL", "MONOLIFT_METRICS_TOKEN"), "goods"
        )
    (job,) = [made for made in objects(folder) if made["kind"] == "Job"]
    env = job["spec"]["template"]["spec"]["containers"][0]["env"]
    assert env[1]["valueFrom"]["secretKeyRef"]["name"] == "goods-migration"


def test_there_are_as_many_as_the_topology_says(folder: Path) -> None:
    scaled = one(folder, "HorizontalPodAutoscaler", "goods-web")["spec"]
    assert (scaled["minReplicas"], scaled["maxReplicas"]) == (3, 9)
    assert "replicas" not in one(folder, "Deployment", "goods-web")["spec"]


def peers(rule: dict[str, Any], side: str) -> list[str]:
    (peer,) = rule[side]
    return peer["podSelector"]["matchExpressions"][0]["values"]


def test_only_who_calls_it_may_speak_to_it(topology: Path, tmp_path: Path) -> None:
    """Orders calls payments and is in the shop; inventory, in goods, does not."""
    write_manifests(module="payments", folder=tmp_path / "made", image="shop:1")
    rules = one(tmp_path / "made", "NetworkPolicy", "pay-desk")["spec"]
    assert rules["policyTypes"] == ["Ingress", "Egress"]
    callers, prometheus = rules["ingress"]
    assert peers(callers, "from") == ["shop"]
    assert callers["ports"] == [{"port": "http"}]
    assert "podSelector" not in prometheus["from"][0]
    names, callees, database = rules["egress"]
    assert {port["port"] for port in names["ports"]} == {53}
    assert peers(callees, "to") == ["shop"]
    assert database["to"] == [{"ipBlock": {"cidr": "0.0.0.0/0"}}]


def test_whom_it_calls_and_hears_it_may_reach(topology: Path, tmp_path: Path) -> None:
    """Search calls catalog and hears it."""
    topology.write_text(
        TOPOLOGY.replace(
            '[modules.search]\ndeployable = "shop"', '[modules.search]\ndeployable = "goods"'
        ).replace(
            '[modules.catalog]\ndeployable = "shop"', '[modules.catalog]\ndeployable = "pay_desk"'
        )
    )
    registry.reset()
    write_manifests(module="search", folder=tmp_path / "made", image="shop:1")
    rules = one(tmp_path / "made", "NetworkPolicy", "goods")["spec"]
    assert peers(rules["ingress"][0], "from") == ["pay-desk", "shop"]
    assert peers(rules["egress"][1], "to") == ["pay-desk", "shop"]


def test_a_module_at_home_gets_a_deployable_of_its_name(topology: Path, tmp_path: Path) -> None:
    written = write_manifests(module="search", folder=tmp_path / "made", image="shop:1")
    assert one(tmp_path / "made", "ConfigMap", "search")["data"]["MONOLIFT_DEPLOYABLE"] == "search"
    carried = one(tmp_path / "made", "ConfigMap", "search-topology")["data"]["topology.toml"]
    assert carried == f"{TOPOLOGY}\n[deployables.search]\n"
    again = {path: path.read_bytes() for path in written}
    write_manifests(module="search", folder=tmp_path / "made", image="shop:1")
    assert {path: path.read_bytes() for path in written} == again


def test_another_image_is_another_job(topology: Path, tmp_path: Path) -> None:
    """A job cannot be changed, so it cannot keep its name."""
    names = set()
    for image in ("shop:1", "shop:2"):
        write_manifests(module="inventory", folder=tmp_path / "made", image=image)
        names |= {x["metadata"]["name"] for x in objects(tmp_path / "made") if x["kind"] == "Job"}
    assert len(names) == 2


def promtool(*arguments: str, folder: Path) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    done = subprocess.run(
        [program, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alerts_pass_their_tests(folder: Path) -> None:
    promtool("check", "rules", "--lint-fatal", "alerts.yaml", folder=folder / "monitoring")
    promtool("test", "rules", "alerts_test.yaml", folder=folder / "monitoring")


@pytest.mark.parametrize("module", ["payments", "recommendations", "orders", "notifications"])
def test_those_of_other_modules_pass_too(topology: Path, tmp_path: Path, module: str) -> None:
    write_manifests(module=module, folder=tmp_path / "made", image="shop:1")
    promtool("test", "rules", "alerts_test.yaml", folder=tmp_path / "made" / "monitoring")


def test_every_alert_is_tried_and_has_its_page(folder: Path) -> None:
    (group,) = yaml.safe_load((folder / "monitoring" / "alerts.yaml").read_text())["groups"]
    alerts = {rule["alert"] for rule in group["rules"]}
    tests = yaml.safe_load((folder / "monitoring" / "alerts_test.yaml").read_text())["tests"]
    fired = {
        case["alertname"]
        for test in tests
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert fired == alerts
    headings = re.findall(r"^## (\w+)$", (folder / "runbook.md").read_text(), re.MULTILINE)
    assert set(headings) == alerts
    for rule in group["rules"]:
        assert rule["annotations"]["runbook"] == f"runbook.md#{rule['alert'].lower()}"


def test_no_metric_is_named_that_nobody_tells(folder: Path) -> None:
    known = {metric.name for metric in METRICS}
    for name in ("alerts.yaml", "dashboard.json"):
        text = (folder / "monitoring" / name).read_text()
        named = set(re.findall(r"\bmonolift_\w+", text))
        assert named, name
        assert named <= known


def test_prometheus_would_take_the_scrape(folder: Path, tmp_path: Path) -> None:
    """Debian's program has no Kubernetes in it, so that one part is replaced."""
    scrape = yaml.safe_load((folder / "monitoring" / "scrape.yaml").read_text())
    (job,) = scrape["scrape_configs"]
    assert job.pop("kubernetes_sd_configs") == [{"role": "pod", "namespaces": {"names": ["shop"]}}]
    job["static_configs"] = [{"targets": ["127.0.0.1:1"]}]
    token = tmp_path / "token"
    token.write_text("t")
    job["authorization"]["credentials_file"] = str(token)
    (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(scrape))
    promtool("check", "config", "prometheus.yaml", folder=tmp_path)


def test_the_dashboard_is_laid_out(folder: Path) -> None:
    made = json.loads((folder / "monitoring" / "dashboard.json").read_text())
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in made["panels"]]
    assert len(set(places)) == len(places) == len({panel["id"] for panel in made["panels"]})
    assert max(x + 8 for x, _ in places) == 24


def test_the_workflow_runs_what_the_repository_has(folder: Path) -> None:
    flow = yaml.safe_load((folder / "workflow.yaml").read_text())
    assert set(flow["jobs"]) == {"test", "deploy"}
    runs = [step.get("run", "") for step in flow["jobs"]["deploy"]["steps"]]
    assert any("monolift manifests inventory" in run for run in runs)
    assert any("kubectl apply --kustomize deploy/goods/kubernetes" in run for run in runs)
    checkout, *tests = flow["jobs"]["test"]["steps"]
    assert checkout["with"] == {"fetch-depth": 0}  # else no contract has a past to break with
    runs = [step.get("run", "") for step in tests]
    assert runs.index("make test") < runs.index("make check")


REDIS = {"MONOLIFT_STREAM": "redis", "REDIS_URL": "redis://127.0.0.1:1/0"}
CUT = {
    "MONOLIFT_TOPOLOGY": "config/topology.split.toml",
    "MONOLIFT_URLS": "warehouse=http://127.0.0.1:1,billing=http://127.0.0.1:2",
}


@pytest.mark.parametrize(
    ("options", "told", "table"),
    [
        ("--namespace prod --database-cidr 10.0.0.0/24", REDIS, ""),
        ("--database-ports 6432,5432 --monitoring watch", {"MONOLIFT_DATABASES": "each"}, ""),
        ("", CUT, ""),
        ("--stream kafka", {}, 'namespace = "prod"\ndatabase_ports = [6432]\ncallers = ["x"]\n'),
    ],
    ids=["stream", "databases", "cut", "pyproject"],
)
def test_the_workflow_writes_what_is_there(
    tmp_path: Path, options: str, told: dict[str, str], table: str
) -> None:
    """Else it would deploy something else than what was looked at."""
    project = copied(tmp_path / "project", "pyproject.toml")
    with (project / "pyproject.toml").open("a") as file:
        file.write(f"\n[tool.monolift.service]\n{table}")
    image = "shop:1.4.2"
    done = manage(
        *("monolift", "manifests", "inventory", "--image", image, *options.split()),
        folder=project,
        MONOLIFT_DATA=str(tmp_path / "var"),
        **told,
    )
    assert done.returncode == 0, done.stderr
    before = texts(project / "deploy")
    assert len(before) > 15
    deployed_again(project, "deploy/inventory/workflow.yaml", image=image)
    assert texts(project / "deploy") == before


def test_it_still_does_once_the_topology_has_the_module_there(tmp_path: Path) -> None:
    """As `lift finish` writes it; where that is, only the cluster knows."""
    project = copied(tmp_path / "project", "pyproject.toml")
    options = ("--image", "shop:1", "--to", "deploy")
    done = manage("monolift", "manifests", "inventory", *options, folder=project)
    assert done.returncode == 0, done.stderr
    file = project / "config" / "topology.toml"
    text = file.read_text()
    moved = re.sub(r'(\[modules.inventory\]\ndeployable = )"shop"', r'\1"inventory"', text)
    assert moved != text
    file.write_text(moved)
    workflow = (project / "deploy" / "workflow.yaml").read_bytes()
    deployed_again(project, "deploy/workflow.yaml", image="shop:1")
    assert (project / "deploy" / "workflow.yaml").read_bytes() == workflow
    carried = one(project / "deploy", "ConfigMap", "inventory-topology")["data"]["topology.toml"]
    assert carried == moved


def test_what_pyproject_says_is_said_there_only(tmp_path: Path, topology: Path) -> None:
    """A change of it would not reach the workflow otherwise."""
    write_manifests(module="inventory", folder=tmp_path, namespace="prod", kept=["namespace"])
    text = (tmp_path / "workflow.yaml").read_text()
    assert "--namespace prod" not in text.partition("kubectl")[0]
    assert "--database-cidr 0.0.0.0/0" in text


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"module": "attic"}, "There is no module 'attic'. Installed: cards"),
        ({"image": "shop"}, "'shop' is no image with a tag. Say --image shop:1.4.2."),
        ({"namespace": "My Shop"}, "'My Shop' is no name for Kubernetes"),
        ({"database_cidr": "db"}, "'db' is no network. Say --database-cidr"),
        ({"monitoring": "a b"}, "'a b' is no namespace"),
        ({"stream": "rabbit"}, "'rabbit' is no stream. Choose from http, redis, kafka."),
        ({"database_ports": [70000]}, "(70000,) has what is no port. Say --database-ports 5432."),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_wrong_is_named_and_nothing_written(
    topology: Path, tmp_path: Path, changed: dict[str, str], problem: str
) -> None:
    given: Any = {"module": "inventory", "image": "shop:1", **changed}
    with pytest.raises(ServiceError, match=re.escape(problem)):
        write_manifests(folder=tmp_path / "made", **given)
    assert not (tmp_path / "made").exists()


def test_a_file_in_the_way_is_named(topology: Path, tmp_path: Path) -> None:
    (tmp_path / "made").write_text("")
    with pytest.raises(CommandError, match=r"cannot be written: .*Choose another --to"):
        call_command("monolift", "manifests", "inventory", "--to", str(tmp_path / "made"))


def test_the_verb_says_what_it_wrote(
    topology: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("monolift", "manifests", "inventory", "--to", str(tmp_path / "made"))
    printed = capsys.readouterr().out.split()
    assert {Path(line) for line in printed} == {
        path for path in (tmp_path / "made").rglob("*") if path.is_file()
    }
    text = (tmp_path / "made" / "kubernetes" / "web-deployment.yaml").read_text()
    assert "image: &image monolift-shop:latest" in text
    assert (
        tmp_path / "made" / "CODEOWNERS"
    ).read_text() == "/deploy/goods/ @monolift/team-supply\n"


def test_the_stream_is_told_and_its_address_is_a_secret(
    topology: Path, settings: Settings, tmp_path: Path
) -> None:
    url = "redis://:hidden-secret@events:6379/0"
    settings.MONOLIFT = {**settings.MONOLIFT, "STREAM": "redis", "STREAM_URL": url}
    write_manifests(module="inventory", folder=tmp_path / "goods", image="shop:1.4.2")
    assert one(tmp_path / "goods", "ConfigMap", "goods")["data"]["MONOLIFT_STREAM"] == "redis"
    written = [file.read_text() for file in tmp_path.rglob("*.*")]
    assert written
    assert not any("hidden-secret" in text for text in written)
