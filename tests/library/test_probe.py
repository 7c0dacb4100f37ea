"""`monolift probe` on a plain Django project: what it finds, what it leaves alone, what it says."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from monolift.boundaries.probe.kinds import KINDS

PLAIN = Path(__file__).parents[1] / "architecture" / "assets" / "plain"


def probe(
    *arguments: str, cwd: Path = PLAIN, settings: str = "mysite.settings", **more: str
) -> "subprocess.CompletedProcess[str]":
    """Run the verb in a project's folder, as its developers would."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DJANGO", "MONOLIFT", "PYTHONPATH"))
    }
    command = [sys.executable, "-m", "monolift.management", "probe", "--settings", settings]
    return subprocess.run(
        [*command, *arguments],
        cwd=cwd,
        env={**env, "PYTHONDONTWRITEBYTECODE": "1", **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def document(*arguments: str, cwd: Path = PLAIN) -> dict[str, Any]:
    """The JSON report."""
    done = probe("--format", "json", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """The report on the plain project."""
    return document()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The plain project, to be broken."""
    place = tmp_path / "plain"
    shutil.copytree(PLAIN, place, ignore=shutil.ignore_patterns("__pycache__"))
    return place


def refused(done: "subprocess.CompletedProcess[str]") -> str:
    """The one line of a probe that could not be made."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("monolift: ")]
    return line


PLANTED = [
    ("import", "catalogue", "orders", "shop/catalogue/views.py", "import Order"),
    ("foreign-key", "orders", "customers", "shop/orders/models.py", "customer = "),
    ("many-to-many", "orders", "catalogue", "shop/orders/models.py", "products = "),
    ("inheritance", "reports", "catalogue", "shop/reports/models.py", "class Seller"),
    ("reverse-accessor", "customers", "orders", "shop/customers/views.py", "customer.orders"),
    ("lookup", "orders", "customers", "shop/orders/views.py", "customer__email"),
    ("migration", "orders", "catalogue", "shop/orders/migrations/0001_initial.py", "catalogue"),
    ("dynamic", "reports", "orders", "shop/reports/queries.py", "get_model"),
    ("dynamic", "reports", "catalogue", "shop/reports/queries.py", "import_string("),
    ("signal", "reports", "orders", "shop/reports/receivers.py", "@receiver"),
    ("url", "orders", "customers", "shop/orders/views.py", "redirect("),
    ("template", "orders", "catalogue", "shop/orders/templates/orders/list.html", "include"),
    ("setting", "reports", "orders", "shop/reports/queries.py", "ORDERS_PAGE_SIZE"),
    ("cache-key", "reports", "catalogue", "shop/reports/receivers.py", "cache.delete"),
    ("sql", "reports", "orders", "shop/reports/queries.py", "FROM orders_order"),
]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: "-".join(planted[:3]))
def test_a_coupling_is_found_where_it_is(
    found: dict[str, Any], planted: tuple[str, str, str, str, str]
) -> None:
    kind, source, target, path, text = planted
    lines = [
        (PLAIN / one["path"]).read_text(encoding="utf-8").splitlines()[one["line"] - 1]
        for one in found["couplings"]
        if (one["kind"], one["source"], one["target"], one["path"]) == (kind, source, target, path)
    ]
    assert any(text in line for line in lines), lines


def added(file: Path, text: str) -> None:
    """Write below what a file says."""
    file.write_text(f"{file.read_text()}\n\n{text}")


def shown(report: dict[str, Any], source: str, kind: str) -> list[tuple[str, str, str]]:
    """(target, path, source text) of a module's couplings of one kind."""
    return [
        (one["target"], one["path"], one["origin"].rpartition(".")[2])
        for one in report["couplings"]
        if (one["source"], one["kind"]) == (source, kind)
    ]


def test_a_field_of_an_abstract_model_is_one_place_to_edit(copy: Path) -> None:
    """Whichever module's it is, and however many models take it; to take it is an import."""
    added(
        copy / "shop" / "catalogue" / "models.py",
        "class Kept(models.Model):\n"
        '    keeper = models.ForeignKey("customers.Customer", models.CASCADE, related_name="+")\n\n'
        "    class Meta:\n        abstract = True\n",
    )
    added(
        copy / "shop" / "reports" / "models.py",
        "from shop.catalogue.models import Kept\n\n\n"
        "class First(Kept):\n    pass\n\n\nclass Second(Kept):\n    pass\n",
    )
    report = document(cwd=copy)
    assert shown(report, "reports", "foreign-key") == [
        ("customers", "shop/catalogue/models.py", "keeper")
    ]
    assert shown(report, "reports", "inheritance") == [
        ("catalogue", "shop/reports/models.py", "Seller")
    ], "no rows are shared with an abstract model"
    assert ("catalogue", "shop/reports/models.py", "models") in shown(report, "reports", "import")


def test_an_order_of_migrations_is_one_place_in_each_direction(copy: Path) -> None:
    migrations = copy / "shop" / "reports" / "migrations"
    first = (migrations / "0001_initial.py").read_text()
    for number in (2, 3):
        (migrations / f"000{number}_more.py").write_text(
            "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
            '    dependencies = [("reports", "0001_initial"), ("catalogue", "0001_initial")]\n'
            '    run_before = [("orders", "0001_initial")]\n'
        )
    assert "catalogue" in first
    found = shown(document(cwd=copy), "reports", "migration")
    assert [(target, path) for target, path, _ in found] == [
        ("catalogue", "shop/reports/migrations/0001_initial.py"),
        ("orders", "shop/reports/migrations/0002_more.py"),
    ]


def test_what_a_migration_does_is_told_and_what_it_imports_is_an_import(copy: Path) -> None:
    (copy / "shop" / "reports" / "migrations" / "0002_fill.py").write_text(
        "from django.db import migrations\n\n\n"
        "def fill(apps, schema_editor):\n"
        "    from shop.customers.models import Customer\n\n"
        '    apps.get_model("orders", "Order").objects.update(customer=Customer())\n\n\n'
        "class Migration(migrations.Migration):\n"
        '    dependencies = [("reports", "0001_initial")]\n'
        "    operations = [\n"
        "        migrations.RunPython(fill),\n"
        '        migrations.RunSQL("DELETE FROM customers_customer"),\n'
        "    ]\n"
    )
    report = document(cwd=copy)
    path = "shop/reports/migrations/0002_fill.py"
    assert [one for one in shown(report, "reports", "migration") if one[1] == path] == [
        ("customers", path, "0002_fill"),
        ("orders", path, "fill"),
    ]
    assert [one for one in shown(report, "reports", "import") if one[1] == path] == [
        ("customers", path, "fill")
    ]


def test_rows_passed_along_are_read_where_their_accessor_is(copy: Path) -> None:
    """Also inside one foreign module, when the object's class or name says it is from there."""
    added(
        copy / "shop" / "orders" / "models.py",
        "class Line(models.Model):\n"
        '    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")\n',
    )
    (copy / "shop" / "reports" / "lines.py").write_text(
        "from typing import Any\n\n\n"
        "def named(last_order: Any) -> Any:\n    return last_order.lines.count()\n\n\n"
        "def typed(one: 'Order') -> Any:\n"
        "    from shop.orders.models import Order\n\n    return one.lines.all()\n\n\n"
        "def neither(thing: Any) -> Any:\n    return thing.lines.count()\n"
    )
    report = document(cwd=copy)
    path = "shop/reports/lines.py"
    assert shown(report, "reports", "reverse-accessor") == [
        ("orders", path, "named"),
        ("orders", path, "typed"),
    ]


def test_options_that_query_are_lookups(copy: Path) -> None:
    (copy / "shop" / "orders" / "admin.py").write_text(
        "from django.contrib.admin import ModelAdmin\n\nfrom shop.orders.models import Order\n\n\n"
        "class OrderAdmin(ModelAdmin):\n    model = Order\n"
        '    search_fields = ["customer__email"]\n    list_filter = ["placed_at"]\n'
    )
    found = shown(document(cwd=copy), "orders", "lookup")
    assert ("customers", "shop/orders/admin.py", "OrderAdmin") in found
    assert len([one for one in found if one[1].endswith("admin.py")]) == 1


def test_code_named_by_an_app_s_label_is_found(copy: Path) -> None:
    (copy / "shop" / "reports" / "loading.py").write_text(
        'view = get_class("catalogue.views", "Detail")\n'
        'other = get_class("catalogue.nothing", "Detail")\n'
    )
    found = [one for one in document(cwd=copy)["couplings"] if one["path"].endswith("loading.py")]
    assert [(one["kind"], one["target"], one["line"]) for one in found] == [
        ("dynamic", "catalogue", 1)
    ]


def test_a_file_with_a_tests_name_counts_when_other_code_imports_it(copy: Path) -> None:
    for name in ("ab_test.py", "test_other.py"):
        text = "from shop.catalogue.models import Product as Tried\n"
        (copy / "shop" / "reports" / name).write_text(text)
    (copy / "shop" / "reports" / "trying.py").write_text("from shop.reports import ab_test\n")
    found = [one for one in document(cwd=copy)["couplings"] if "test" in one["path"]]
    assert [(one["path"], one["kind"]) for one in found] == [("shop/reports/ab_test.py", "import")]


def test_a_url_in_an_app_s_own_namespace_is_its_own(copy: Path) -> None:
    """Be it answered by a view that another app wrote."""
    (copy / "mysite" / "urls.py").write_text(
        "from django.urls import include, path\n"
        "from shop.customers import views\n"
        'named = [path("", views.detail, name="list")]\n'
        'urlpatterns = [path("orders/", include((named, "orders")))]\n'
    )
    views = copy / "shop" / "orders" / "views.py"
    views.write_text(views.read_text().replace('"customers:detail", pk=1', '"orders:list"'))
    foreign = copy / "shop" / "pages" / "views.py"
    foreign.write_text(f"{foreign.read_text()}\n\nthere = redirect('orders:list')\n")
    found = [one for one in document(cwd=copy)["couplings"] if one["kind"] == "url"]
    assert [one["source"] for one in found] == ["pages"]


def test_urls_that_cannot_be_loaded_are_a_note(copy: Path) -> None:
    urls = copy / "mysite" / "urls.py"
    urls.write_text(f"import no_such_package\n{urls.read_text()}")
    report = document(cwd=copy)
    assert any(note.startswith("The URLs cannot be loaded") for note in report["notes"])
    assert any(one["kind"] == "url" for one in report["couplings"]), "taken from urls.py"


def test_the_document_has_its_shape(found: dict[str, Any]) -> None:
    assert (found["format"], found["version"]) == ("monolift-probe", 1)
    assert [kind["name"] for kind in found["kinds"]] == [kind.name for kind in KINDS]
    assert {module["label"] for module in found["modules"]} == {
        "catalogue", "customers", "orders", "pages", "reports",
    }  # fmt: skip
    costs = {kind["name"]: kind["cost"] for kind in found["kinds"]}
    for edge in found["edges"]:
        assert edge["weight"] == sum(costs[name] * n for name, n in edge["kinds"].items())
    assert [module["rank"] for module in found["modules"]] == [1, 2, 3, 4, 5]
    assert found["modules"][0]["label"] == "pages"
    assert found["modules"][0]["cost"] == 0
    total = sum(costs[one["kind"]] for one in found["couplings"])
    assert sum(module["outgoing"] for module in found["modules"]) == total
    assert all(one["message"] for one in found["couplings"])


def test_the_cheaper_side_of_a_circle_is_cut(found: dict[str, Any]) -> None:
    edges = {(edge["source"], edge["target"]): edge for edge in found["edges"]}
    kept, cut = edges["orders", "catalogue"], edges["catalogue", "orders"]
    assert cut["cut"]
    assert not kept["cut"]
    assert cut["weight"] < kept["weight"]
    (cycle,) = [one for one in found["cycles"] if "catalogue" in one["modules"]]
    assert cycle["exact"]
    assert ["catalogue", "orders"] in cycle["cuts"]


def test_two_runs_say_the_same() -> None:
    one, other = probe("--format", "html"), probe("--format", "html")
    assert one.returncode == 0
    assert one.stdout == other.stdout


def test_neither_the_database_nor_a_server_is_asked() -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.setblocking(False)
        done = probe("--format", "json", PLAIN_PORT=str(server.getsockname()[1]))
        assert done.returncode == 0, done.stderr
        with pytest.raises(BlockingIOError):
            server.accept()
    assert "The project's database was asked" not in done.stderr
    assert "The reports are ready." in done.stderr, "ready() was run"
    json.loads(done.stdout)


def test_an_app_that_needs_the_database_to_load_is_a_note(copy: Path) -> None:
    file = copy / "shop" / "reports" / "apps.py"
    file.write_text(file.read_text().replace("except OperationalError", "except KeyError"))
    (note,) = [note for note in document(cwd=copy)["notes"] if "ready()" in note]
    assert note.startswith("shop/reports/apps.py:")
    assert "OperationalError" in note


def test_the_text_fits_a_terminal() -> None:
    done = probe()
    assert done.returncode == 0, done.stderr
    assert max(len(line) for line in done.stdout.splitlines()) <= 100
    for title in ("Couplings by kind", "Matrix", "Cycles", "Nearest to being liftable"):
        assert f"\n{title}\n" in done.stdout
    assert re.search(r"shop/orders/models\.py:\d+: ", done.stdout)
    assert "Way out: " in done.stdout
    assert "\x1b" not in done.stdout


def test_one_module_is_told_in_full() -> None:
    done = probe("--module", "orders")
    assert done.stdout.startswith("\nWhat blocks orders\n")
    assert "more" not in done.stdout
    assert "'nowhere'" in refused(probe("--module", "nowhere"))


def test_the_page_asks_nothing_of_the_network(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    done = probe("--format", "html", "--output", str(file))
    assert (done.returncode, done.stdout) == (0, "")
    text = file.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)""", text)
    assert "{{" not in text
    addresses = set(re.findall(r"https?://[^\s\"'<]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}, "a namespace is no address"


def test_apps_can_be_grouped(tmp_path: Path) -> None:
    file = tmp_path / "groups.toml"
    file.write_text('[groups]\nsales = ["shop.orders", "customers"]\n')
    report = document("--groups", str(file))
    assert {module["label"] for module in report["modules"]} == {
        "catalogue", "pages", "reports", "sales",
    }  # fmt: skip
    pairs = {(edge["source"], edge["target"]) for edge in report["edges"]}
    assert ("sales", "catalogue") in pairs
    assert not any(one["name"].startswith("customers.") for one in report["couplings"])


def test_apps_can_be_narrowed() -> None:
    report = document("--apps", "shop.orders,customers")
    assert {module["label"] for module in report["modules"]} == {"customers", "orders"}
    assert {(edge["source"], edge["target"]) for edge in report["edges"]} >= {
        ("orders", "customers")
    }


def test_an_installed_package_can_be_included() -> None:
    report = document("--include", "django.contrib.auth", "--include", "django.contrib.content*")
    labels = {module["label"] for module in report["modules"]}
    assert labels >= {"auth", "contenttypes", "orders"}
    assert any(
        (one["kind"], one["source"], one["target"]) == ("foreign-key", "auth", "contenttypes")
        for one in report["couplings"]
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[groups", "cannot be read"),
        ("[others]", "has no groups"),
        ("[groups]\nsales = 3", "the group sales is no list"),
        ('[groups]\nsales = ["nowhere"]', "there is no app 'nowhere'"),
    ],
)
def test_groups_that_cannot_be_used(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "groups.toml"
    file.write_text(text)
    assert said in refused(probe("--groups", str(file)))


def test_settings_that_are_not_there() -> None:
    line = refused(probe(settings="elsewhere.settings"))
    assert "There is no settings module 'elsewhere.settings'" in line
    assert "project's folder" in line


def test_settings_that_fail(copy: Path) -> None:
    (copy / "mysite" / "settings.py").write_text("import os\n\nKEY = os.environ['NO_SUCH_KEY']\n")
    line = refused(probe(cwd=copy))
    assert "mysite/settings.py:3: " in line
    assert "KeyError: 'NO_SUCH_KEY'" in line


def test_settings_that_are_no_python(copy: Path) -> None:
    (copy / "mysite" / "settings.py").write_text("KEY = (\n")
    assert "mysite/settings.py:1: " in refused(probe(cwd=copy))


def test_an_app_that_is_not_there(copy: Path) -> None:
    file = copy / "mysite" / "settings.py"
    file.write_text(file.read_text().replace('"shop.pages"', '"shop.page"'))
    line = refused(probe(cwd=copy))
    assert "mysite/settings.py: the app shop.page cannot be loaded" in line


def test_an_app_whose_models_fail(copy: Path) -> None:
    file = copy / "shop" / "orders" / "models.py"
    file.write_text(f"import no_such_package\n{file.read_text()}")
    line = refused(probe(cwd=copy))
    assert "shop/orders/models.py:1: the app shop.orders cannot be loaded" in line
    assert "no_such_package" in line


def test_a_syntax_error_in_a_file_that_is_not_loaded(copy: Path) -> None:
    (copy / "shop" / "pages" / "broken.py").write_text("x = 1\ndef (:\n")
    line = refused(probe(cwd=copy))
    assert "shop/pages/broken.py:2: syntax error" in line
    assert "--exclude shop/pages" in line
    (copy / "shop" / "pages" / "old").mkdir()
    (copy / "shop" / "pages" / "broken.py").rename(copy / "shop" / "pages" / "old" / "broken.py")
    assert probe("--exclude", "shop/pages/old", cwd=copy).returncode == 0


def test_a_folder_without_apps_of_its_own(copy: Path) -> None:
    file = copy / "mysite" / "settings.py"
    file.write_text(re.sub(r'    "shop\..*\n', "", file.read_text()))
    line = refused(probe(cwd=copy))
    assert "No installed app of mysite.settings has its files in" in line
    assert "--include" in line


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    target = tmp_path / "no" / "where.json"
    assert f"{target} cannot be written" in refused(
        probe("--format", "json", "--output", str(target))
    )
