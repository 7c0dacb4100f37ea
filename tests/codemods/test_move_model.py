"""`monolift move-model`, on a copy of a plain Django project."""

import re

import pytest

from monolift.codemods.verify import verify
from tests.codemods.depot import Depot

MOVE = ("move-model", "shop.Stock", "--to", "inventory")
TABLES = ("shop_stock", "shop_stock_tags", "shop_stock_substitutes", "shop_movement", "orders_line")
RENAMED = tuple(name.replace("shop_stock", "inventory_stock") for name in TABLES)

FILL = """
from catalog.models import Product, Tag
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from notes.models import Note
from orders.services import place
from shop.models import Movement, Shelf, Stock

shelf, tea = Shelf.objects.create(name="one"), Product.objects.create(name="tea")
milk = Product.objects.create(name="milk")
first = Stock.objects.create(product=tea, shelf=shelf, quantity=5)
second = Stock.objects.create(product=milk, shelf=shelf, quantity=1, parent=first)
first.tags.add(Tag.objects.create(name="hot"))
first.substitutes.add(second)
Shelf.objects.update(favourite=second)
Movement.objects.create(stock=first, quantity=3)
place(first, quantity=2)
Note.objects.create(text="cold", subject=second)
ann = User.objects.create_user("ann")
kind = ContentType.objects.get_for_model(Stock)
ann.user_permissions.set(Permission.objects.filter(content_type=kind))
answer = None
"""

KIND = """
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from notes.models import Note
kinds = ContentType.objects.filter(model="stock")
permissions = Permission.objects.filter(content_type__in=kinds)
granted = User.objects.get(username="ann").user_permissions
answer = {
    "kinds": list(kinds.values_list("id", "app_label")),
    "permissions": sorted(permissions.values_list("id", "codename")),
    "granted": sorted(granted.values_list("id", flat=True)),
    "noted": list(Note.objects.values_list("content_type_id", "object_id")),
}
"""


def label_of(kinds: dict[str, list[list[object]]]) -> object:
    ((_, label),) = kinds["kinds"]
    return label


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--rename-table",)], ids=["keep", "rename"])
def test_rows_survive_there_and_back(depot: Depot, options: tuple[str, ...]) -> None:
    depot.manage("migrate")
    depot.ask(FILL)
    rows, kinds = depot.tables(*TABLES), depot.ask(KIND)
    assert [len(rows[name][0]) for name in TABLES] == [2, 1, 2, 1, 1]
    assert len(kinds["granted"]) == 5

    depot.monolift(*MOVE, *options)
    depot.whole()
    moved = {
        **kinds,
        "kinds": [[kinds["kinds"][0][0], "inventory"]],
    }
    names = RENAMED if options else TABLES
    for _ in range(2):
        depot.manage("migrate")
        assert list(depot.tables(*names).values()) == list(rows.values())
        assert depot.ask(KIND) == moved
        assert depot.ask(
            "from notes.models import Note\n"
            "from django.contrib.auth.models import User\n"
            "subject = Note.objects.get().subject\n"
            "ann = User.objects.get()\n"
            "answer = [subject._meta.label, subject.code, ann.has_perm('inventory.count_stock')]"
        ) == ["inventory.Stock", "S2", True]

        depot.manage("migrate", "inventory", "0001")
        assert depot.tables(*TABLES) == rows
        assert depot.ask(KIND) == kinds


@pytest.mark.slow
def test_half_a_migration_leaves_one_content_type(depot: Depot) -> None:
    """Django makes the new content type when `migrate` stops after the first step."""
    depot.manage("migrate")
    depot.ask(FILL)
    kinds = depot.ask(KIND)
    depot.monolift(*MOVE)
    depot.manage("migrate", "inventory", "0002")
    depot.ask(
        "from django.contrib.auth.models import Permission, User\n"
        "from django.contrib.contenttypes.models import ContentType\n"
        "from notes.models import Note\n"
        "twin = ContentType.objects.get(app_label='inventory', model='stock')\n"
        "bob = User.objects.create_user('bob')\n"
        "bob.user_permissions.set(Permission.objects.filter(content_type=twin))\n"
        "Note.objects.update(content_type=twin)\n"
        "answer = None"
    )
    depot.manage("migrate")
    assert depot.ask(KIND) == {**kinds, "kinds": [[kinds["kinds"][0][0], "inventory"]]}
    assert depot.ask(
        "from django.contrib.auth.models import User\n"
        "bob = User.objects.get(username='bob')\n"
        "answer = sorted(bob.user_permissions.values_list('id', flat=True))"
    ) == sorted(kinds["granted"])


def test_a_dry_run_shows_and_writes_nothing(sources: Depot) -> None:
    text = sources.monolift(*MOVE, "--dry-run")
    assert sources.git("status", "--porcelain") == ""
    assert "+++ b/inventory/migrations/0002_move_stock_from_shop.py" in text
    assert "-from shop.models import Stock\n" in text
    assert "\x1b[" not in text
    assert "\x1b[32m+" in sources.monolift(*MOVE, "--dry-run", "--color", "always")


def test_the_class_goes_with_what_only_it_uses(sources: Depot) -> None:
    report = sources.monolift(*MOVE)
    assert "Moved along: LOWEST, StockQuerySet.\n" in report
    assert "Stayed, and is imported: Shelf, Stamped, new_code.\n" in report
    new, old = sources.read("inventory/models.py"), sources.read("shop/models.py")
    assert "# How much of a thing there is.\nclass Stock(Stamped):" in new
    assert 'db_table = "shop_stock"' in new
    assert 'name="shop_quantity_positive"' in new
    assert 'ForeignKey("shop.Shelf"' in new
    assert "        from shop.models import Shelf\n\n        logger.info" in new
    assert "class Stock" not in old
    assert "Decimal" not in old
    assert 'def log_stock(instance: "Stock"' in old
    assert not re.search(r"^from inventory", old, flags=re.MULTILINE)


def test_nothing_names_the_old_place(sources: Depot) -> None:
    sources.monolift(*MOVE)
    left = ""
    for path in sorted(sources.folder.rglob("*")):
        if path.is_file() and "migrations" not in path.parts and ".git" not in path.parts:
            for line in path.read_text().splitlines():
                if re.search(r"shop\.[Ss]tock|shop_stock_|shop(_|\.)models\.Stock", line):
                    left += f"{path.name}: {line}\n"
    assert (
        left == 'services.py: def place(stock: "shop_models.Stock", *, quantity: int) -> Order:\n'
    )


def test_what_is_not_certain_is_listed(sources: Depot) -> None:
    file = sources.folder / "orders" / "reports.py"
    file.write_text(
        "import shop.models\n"
        "from shop.models import *\n"
        "\n"
        'SQL = "SELECT code FROM shop_stock"\n'
        'NAMES = {"place": f"shop.models.Stock is here"}\n'
        'KIND = getattr(shop.models, "Stock")\n'
        "ALL = Stock\n"
    )
    page = sources.folder / "shop" / "templates" / "shop" / "stock_list.html"
    page.parent.mkdir(parents=True)
    page.write_text("{{ object_list }}\n")
    sources.commit()
    report = sources.monolift(*MOVE, "--rename-table", "--dry-run")
    listed = report.partition("Look at these yourself:\n")[2]
    for place in (
        "orders/reports.py:2: `import *` brought Stock",
        "orders/reports.py:4: the string 'SELECT code FROM shop_stock' names the old table",
        "orders/reports.py:5: the string 'shop.models.Stock is here' names",
        "orders/reports.py:6: `getattr` looks for Stock by its name",
        "shop/templates/shop/stock_list.html: a template that Django finds by the model's app",
    ):
        assert place in listed
    assert "_idx" not in listed


def test_strings_of_something_else_stay(sources: Depot) -> None:
    (sources.folder / "shop" / "stock.py").write_text('"""A module that stays."""\n')
    (sources.folder / "shop" / "count_stock.py").write_text('"""Another."""\n')
    text = (
        "import os\n"
        "from django.urls import include\n"
        'LOGGING = {"loggers": {"shop.stock": {"level": "DEBUG"}}}\n'
        'CELERY_IMPORTS = ["shop.stock", "shop.count_stock"]\n'
        'TEMPLATE = os.path.join("shop", "stock", "page.html")\n'
        "def say(bus, cache, redis):\n"
        '    bus.publish(topic="shop.stock")\n'
        '    cache.set("shop.stock", 1)\n'
        '    redis.hset("shop", "stock", 5)\n'
        '    return include("shop.stock")\n'
    )
    extra = sources.folder / "mysite" / "extra.py"
    extra.write_text(text)
    sources.commit()
    report = sources.monolift(*MOVE)
    assert extra.read_text() == text
    sure, _, unsure = report.partition("The same name, perhaps of something else:\n")
    assert re.findall(r"mysite/extra\.py:(\d+)", sure) == ["4"]
    assert re.findall(r"mysite/extra\.py:(\d+)", unsure) == ["3", "4", "5", "7", "8", "9", "10"]


def test_django_reads_names_in_any_capitals(sources: Depot) -> None:
    (sources.folder / "shop" / "stock.py").write_text('"""A module that stays."""\n')
    (sources.folder / "orders" / "asks.py").write_text(
        "from django.apps import apps\n"
        "from django.db.models.signals import post_save\n"
        "def ask(heard, kinds):\n"
        '    post_save.connect(heard, sender="shop.stock")\n'
        '    kinds.using("x").get_by_natural_key("shop", "stock")\n'
        '    kinds.get(model="stock", app_label="shop")\n'
        '    return apps.get_model("shop.stock"), apps.get_model("shop.Stock")\n'
    )
    sources.commit()
    sources.monolift(*MOVE)
    text = sources.read("orders/asks.py")
    assert '"shop' not in text
    assert text.count('"inventory') == 5


def test_a_label_and_a_name_apart_are_listed(sources: Depot) -> None:
    (sources.folder / "orders" / "asks.py").write_text(
        "def ask(apps, kinds, grants, label):\n"
        '    apps.get_app_config("shop").get_model("Stock")\n'
        '    apps.get_model(label, "Stock")\n'
        '    kinds.filter(app_label="shop", model__in=["stock", "shelf"])\n'
        '    grants.filter(content_type__app_label="shop", content_type__model="stock")\n'
        '    return {"app_label": "shop", "model": "stock"}, ("shop", "stock")\n'
        "def ask_others(apps, kinds):\n"
        '    apps.get_app_config("notes").get_model("Stock")\n'
        '    kinds.filter(app_label="notes", model__in=["stock", "shelf"])\n'
        '    return apps.get_model("shop", "Shelf"), {"app_label": "shop", "model": "shelf"}\n'
    )
    (sources.folder / "shop" / "fixtures" / "kinds.json").write_text(
        '[{"model": "notes.note", "fields": {"content_type": ["shop", "stock"]}}]\n'
    )
    sources.commit()
    report = sources.monolift(*MOVE, "--dry-run").partition("Look at these yourself:\n")[2]
    assert re.findall(r"orders/asks\.py:(\d+)", report) == ["2", "3", "4", "5", "6", "6"]
    assert "shop/fixtures/kinds.json:1" in report


def test_comments_beside_imports_stay(sources: Depot) -> None:
    (sources.folder / "orders" / "late.py").write_text(
        "from shop.models import (\n"
        "    Shelf,  # a place\n"
        "    Stock as S,  # a heap\n"
        ")\n"
        "def late():\n"
        "    from shop.models import Stock  # late, since it is heavy\n"
        "    return Stock, S, Shelf\n"
    )
    sources.commit()
    sources.monolift(*MOVE)
    assert sources.read("orders/late.py") == (
        "from shop.models import (\n"
        "    Shelf,  # a place\n"
        ")\n"
        "from inventory.models import Stock as S  # a heap\n"
        "def late():\n"
        "    from inventory.models import Stock  # late, since it is heavy\n"
        "    return Stock, S, Shelf\n"
    )


def test_an_empty_database_goes_through_the_whole_history(sources: Depot) -> None:
    """What asked for the model in its old place, and does so no more, runs before it moves."""
    (sources.folder / "notes" / "migrations" / "0002_fill.py").write_text(
        "from django.db import migrations\n"
        "def fill(apps, editor):\n"
        '    apps.get_model("catalog", "Product").objects.count()\n'
        "class Migration(migrations.Migration):\n"
        '    dependencies = [("notes", "0001_initial"), ("catalog", "0001_initial")]\n'
        "    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]\n"
    )
    sources.commit()
    for _ in range(2):
        sources.monolift("loosen", "orders.Line.product")
        sources.commit()
    sources.monolift("move-model", "catalog.Product", "--to", "inventory")
    sources.manage("migrate")
    sources.manage("migrate", "inventory", "0001")

    # Without that order the relation that was loosened has nothing to refer to.
    first = sources.folder / "inventory" / "migrations" / "0002_move_product_from_catalog.py"
    text = first.read_text()
    own = '        ("orders", "0003_line_product_is_a_plain_field"),\n'
    assert own in text
    first.write_text(text.replace(own, ""))
    told = verify(root=sources.folder, settings="mysite.settings")
    assert "An empty database cannot be migrated: after orders.0001_initial" in told
    assert "orders.Line.product refers to catalog.product" in told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nothing",), "names no model. Write app_label.Model"),
        (("nowhere.Stock",), "There is no app 'nowhere'. Installed: .*shop"),
        (("shop.Nothing",), "has no model 'Nothing'. It has: Movement, Shelf, Stock"),
        (("shop.Stamped",), "has no model 'Stamped'"),
        (("shop.Stock", "--to", "shop"), "is in 'shop' already"),
        (("shop.Stock", "--to", "nowhere"), "There is no app 'nowhere'"),
        (("auth.User",), "is swappable by AUTH_USER_MODEL"),
        (("auth.Group",), "lies outside the project"),
        (("shop.Stock", "--settings", "mysite.nothing"), "cannot be loaded with the settings"),
        (("shop.Stock", "--root", "no/where"), "is no folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_refusal_says_what_to_do(sources: Depot, arguments: tuple[str, ...], says: str) -> None:
    target = () if "--to" in arguments else ("--to", "inventory")
    assert re.search(says, sources.refused("move-model", *arguments, *target))


@pytest.mark.parametrize(
    ("added", "says"),
    [
        ("class Kept(Stock):\n    class Meta:\n        proxy = True\n", "is a proxy of shop.Stock"),
        ("class Cold(Stock):\n    degrees = models.IntegerField()\n", "child with a table of its"),
    ],
    ids=["proxy", "child"],
)
def test_models_that_inherit_are_refused(sources: Depot, added: str, says: str) -> None:
    sources.edit("shop/models.py", "class Movement(", f"{added}\n\nclass Movement(")
    sources.manage("makemigrations")
    sources.commit()
    assert says in sources.refused(*MOVE)
    kind = added.split("(", maxsplit=1)[0].removeprefix("class ")
    expected = "is a proxy" if kind == "Kept" else "inherits the table"
    assert expected in sources.refused("move-model", f"shop.{kind}", "--to", "inventory")


def test_a_twin_is_refused(sources: Depot) -> None:
    sources.edit(
        "inventory/models.py",
        "class Warehouse(",
        "class Stock(models.Model):\n    '''Another.'''\n\n\nclass Warehouse(",
    )
    sources.manage("makemigrations")
    sources.commit()
    assert "'inventory' has a model 'Stock' already" in sources.refused(*MOVE)


def test_a_name_with_two_meanings_is_refused(sources: Depot) -> None:
    sources.edit("inventory/models.py", "\n\nclass Ware", "\n\nLOWEST = 9\n\n\nclass Ware")
    assert "already has a 'LOWEST'" in sources.refused(*MOVE)


def test_models_without_their_migration_are_refused(sources: Depot) -> None:
    sources.edit("orders/models.py", "quantity = models.Int", "amount = models.Int")
    assert "'orders' have changes without a migration" in sources.refused(*MOVE)


def test_uncommitted_files_are_refused_unless_forced(sources: Depot) -> None:
    path = sources.folder / "orders" / "views.py"
    path.write_text(path.read_text() + "\n# mine\n")
    assert "orders/views.py has changes that are not committed" in sources.refused(*MOVE)
    sources.monolift(*MOVE, "--force")
    assert "# mine" in sources.read("orders/views.py")
    assert "admin:inventory_stock_changelist" in sources.read("orders/views.py")


def test_a_package_of_models_gets_a_file(sources: Depot) -> None:
    folder = sources.folder / "inventory"
    (folder / "models").mkdir()
    (folder / "models.py").rename(folder / "models" / "warehouse.py")
    (folder / "models" / "__init__.py").write_text(
        '"""Models."""\n\nfrom inventory.models.warehouse import Warehouse\n\n'
        '__all__ = ["Warehouse"]\n'
    )
    sources.commit()
    sources.monolift(*MOVE)
    assert "from inventory.models.stock import Stock" in sources.read(
        "inventory/models/__init__.py"
    )
    assert "class Stock(Stamped)" in sources.read("inventory/models/stock.py")
    sources.whole()


def test_a_model_leaves_a_package(sources: Depot) -> None:
    folder = sources.folder / "shop"
    (folder / "models").mkdir()
    (folder / "models.py").rename(folder / "models" / "everything.py")
    (folder / "models" / "__init__.py").write_text(
        "from .everything import Movement, Shelf, Stamped, Stock, new_code\n\n"
        '__all__ = ["Movement", "Shelf", "Stamped", "Stock", "new_code"]\n'
    )
    sources.commit()
    sources.monolift(*MOVE)
    offered = sources.read("shop/models/__init__.py")
    assert '__all__ = ["Movement", "Shelf", "Stamped", "new_code"]' in offered
    assert "Stock" not in offered
    sources.whole()


def test_an_app_without_models_gets_its_first(sources: Depot) -> None:
    folder = sources.folder / "depots"
    folder.mkdir()
    (folder / "__init__.py").touch()
    sources.edit("mysite/settings.py", '    "notes",\n', '    "notes",\n    "depots",\n')
    report = sources.monolift("move-model", "shop.Stock", "--to", "depots")
    assert "depots.0001_move_stock_from_shop" in report
    sources.whole()


def test_a_model_between_two_others_moves(sources: Depot) -> None:
    sources.monolift("move-model", "orders.Line", "--to", "inventory")
    assert 'through="inventory.Line"' in sources.read("orders/models.py")
    assert "from inventory.models import Line" in sources.read("orders/views.py")
    sources.whole()


def test_what_a_star_brought_is_imported(sources: Depot) -> None:
    folder = sources.folder / "shop"
    text = (folder / "models.py").read_text()
    start, end = text.index("class Stamped("), text.index("class Shelf(")
    (folder / "abstract_models.py").write_text(
        f"from django.db import models\n\n\n{text[start:end]}"
    )
    (folder / "models.py").write_text(
        text[:start].replace("\nlogger", "from shop.abstract_models import *\n\nlogger")
        + text[end:]
    )
    sources.commit()
    sources.monolift(*MOVE)
    assert "from shop.abstract_models import Stamped" in sources.read("inventory/models.py")
    sources.whole()


def test_a_broken_file_is_named_and_left_alone(sources: Depot) -> None:
    broken = sources.folder / "orders" / "old.py"
    broken.write_text("from shop.models import Stock\nprint 'x'\n")
    (sources.folder / "orders" / "latin.py").write_bytes("# Stock: caf\xe9\n".encode("latin-1"))
    sources.commit()
    report = sources.monolift(*MOVE)
    assert "orders/old.py:2: is no valid Python" in report
    assert "orders/latin.py: is not UTF-8" in report
    assert "from shop.models import Stock" in broken.read_text()
