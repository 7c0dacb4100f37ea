"""`monolift loosen`, on a copy of a plain Django project."""

import re

import pytest

from tests.codemods.depot import Depot

FILL = """
from catalog.models import Product, Tag
from orders.models import Line, Order
from shop.models import Shelf, Stock

tea = Product.objects.create(name="tea")
stock = Stock.objects.create(product=tea, shelf=Shelf.objects.create(name="one"))
gift = Tag.objects.create(name="gift")
Line.objects.create(order=Order.objects.create(), stock=stock, product=tea, gift=gift)
Line.objects.create(order=Order.objects.create(), stock=Stock.objects.create(
    product=Product.objects.create(name="milk"), shelf=stock.shelf), product=tea)
answer = None
"""

COLUMNS = """
from django.db import connection
with connection.cursor() as cursor:
    found = connection.introspection.get_constraints(cursor, "orders_line")
    table = connection.introspection.get_table_description(cursor, "orders_line")
answer = [
    sorted(name for name, facts in found.items() if not facts["foreign_key"]),
    sorted(facts["columns"] for facts in found.values() if facts["foreign_key"]),
    sorted([column.name, str(column.type_code), column.null_ok] for column in table),
]
"""


@pytest.mark.slow
@pytest.mark.parametrize("field", ["product", "gift"])
def test_rows_survive_each_step_there_and_back(depot: Depot, field: str) -> None:
    depot.manage("migrate")
    depot.ask(FILL)
    rows = depot.tables("orders_line")["orders_line"][0]
    indexes, keys, columns = depot.ask(COLUMNS)
    assert [f"{field}_id"] in keys
    loose = [key for key in keys if key != [f"{field}_id"]]

    depot.monolift("loosen", f"orders.Line.{field}")
    depot.whole()
    depot.commit()
    depot.manage("migrate")
    assert depot.ask(COLUMNS)[1:] == [loose, columns]
    depot.manage("migrate", "orders", "0001")
    assert depot.ask(COLUMNS) == [indexes, keys, columns]
    depot.manage("migrate")
    indexes_loose = depot.ask(COLUMNS)[0]
    assert len(indexes_loose) == len(indexes)

    depot.monolift("loosen", f"orders.Line.{field}")
    depot.whole()
    for _ in range(2):
        depot.manage("migrate")
        assert depot.ask(COLUMNS) == [indexes_loose, loose, columns]
        assert depot.tables("orders_line")["orders_line"][0] == rows
        depot.manage("migrate", "orders", "0002")
        assert depot.tables("orders_line")["orders_line"][0] == rows
    depot.manage("migrate", "orders", "0001")
    assert depot.ask(COLUMNS)[1:] == [keys, columns]
    assert depot.tables("orders_line")["orders_line"][0] == rows


def twice(sources: Depot, *, files: dict[str, str], fails: bool = False) -> str:
    """Loosen product fully in a project with more files; the second report."""
    sources.monolift("loosen", "orders.Line.product")
    for name, text in files.items():
        path = sources.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    sources.commit()
    return sources.monolift("loosen", "orders.Line.product", "--dry-run")


def test_the_declaration_becomes_a_plain_field(sources: Depot) -> None:
    sources.monolift("loosen", "orders.Line.product")
    sources.commit()
    sources.monolift("loosen", "orders.Line.product")
    text = sources.read("orders/models.py")
    assert re.search(
        r'product_id = models\.BigIntegerField\(\s*verbose_name="what", db_index=True\s*\)', text
    )
    assert 'unique_together = [("order", "product_id")]' in text
    assert 'models.Index(fields=["product_id", "quantity"], name="line_by_product")' in text
    assert "condition=models.Q(product_id__isnull=False)" in text
    assert "return self.product_id" in text
    assert "product_id=product.pk, quantity=quantity" in sources.read("orders/services.py")
    assert "filter(product_id=key)" in sources.read("orders/services.py")


def test_places_that_must_change_are_listed(sources: Depot) -> None:
    report = twice(
        sources,
        files={
            "orders/reports.py": (
                "from catalog.models import Product\n"
                "from orders.models import Line\n"
                "\n"
                "\n"
                "def report(given):\n"
                '    lines = Line.objects.select_related("product")\n'
                '    lines = lines.filter(product__name="tea")\n'
                "    names = [line.product.name for line in lines]\n"
                "    Line.objects.filter(product=given)\n"
                "    names += Product.objects.first().lines.all()\n"
                "    Product.objects.filter(lines__quantity=1)\n"
                '    return names, Line.objects.order_by("product__name")\n'
            ),
            "orders/admin.py": ('class LineAdmin:\n    list_display = ("product", "quantity")\n'),
            "orders/templates/orders/lines.html": "{{ line.product.name }}\n",
        },
    )
    listed = report.partition("Look at these yourself:\n")[2]
    for place in (
        "orders/reports.py:6: 'product' names the relation",
        "orders/reports.py:7: `filter(product__name=...)` needs catalog.Product's table",
        "orders/reports.py:8: reads `.product`",
        "orders/reports.py:9: `filter(product=...)` names the relation",
        "orders/reports.py:10: uses `.lines`",
        "orders/reports.py:11: `filter(lines__quantity=...)` reaches back",
        "orders/reports.py:12: 'product__name' needs catalog.Product's table",
        "orders/admin.py:2: 'product' names the relation",
        "orders/templates/orders/lines.html:1: a template reads `.product`",
    ):
        assert place in listed
    # What another model calls product is its own.
    assert "orders/tests.py" not in listed


def test_certain_queries_are_rewritten(sources: Depot) -> None:
    report = twice(
        sources,
        files={
            "orders/reports.py": (
                "from orders import models\n"
                "from orders.models import Line\n"
                "\n"
                "\n"
                "def report(given):\n"
                "    models.Line.objects.exclude(product__pk__in=[1])"
                ".filter(product__isnull=True)\n"
                "    Line.objects.filter(product=given.pk).update(product=3)\n"
                "    Line(product=given, quantity=1)\n"
                '    Line.objects.values_list("product", flat=True).order_by("-product__pk")\n'
            ),
        },
    )
    for line in (
        "+    models.Line.objects.exclude(product_id__in=[1]).filter(product_id__isnull=True)",
        "+    Line.objects.filter(product_id=given.pk).update(product_id=3)",
        "+    Line(product_id=given.pk, quantity=1)",
        '+    Line.objects.values_list("product_id", flat=True)',
    ):
        assert line in report


LATE = """from orders.models import GiftLine, Line
from orders.models import Line as L
from shop.models import Stock as S


def late(thing, line):
    GiftLine.objects.filter(product=thing)
    GiftLine.objects.create(product=thing)
    GiftLine(product__id=thing)
    L.objects.filter(stock=thing).values("product")
    L.objects.update(product=thing)
    L(product=thing())
    line.save(update_fields=["product"])
    line.refresh_from_db(fields=["product"])
    S.objects.filter(product=thing)
"""


def test_a_model_is_known_by_any_name(sources: Depot) -> None:
    """An alias, and a proxy, are the model; another model is not, whatever it is called."""
    with (sources.folder / "orders" / "models.py").open("a") as file:
        file.write("\n\nclass GiftLine(Line):\n    class Meta:\n        proxy = True\n")
    sources.manage("makemigrations", "orders")
    sources.commit()
    report = twice(sources, files={"orders/late.py": LATE})
    assert "+    GiftLine.objects.create(product_id=thing.pk)\n" in report
    assert "+    GiftLine(product_id=thing)\n" in report
    listed = report.partition("Look at these yourself:\n")[2]
    found = re.findall(r"orders/late\.py:(\d+)", listed)
    assert found == ["7", "10", "11", "12", "13", "14"]


MANAGER = """class Lines(models.Manager):
    def create(self, *, product, **values):
        return super().create(product=product, **values)


class Line("""


def test_a_method_of_the_projects_own_is_listed(sources: Depot) -> None:
    """Nobody knows what `create` takes when the project wrote it."""
    path = sources.folder / "orders" / "models.py"
    text = path.read_text().replace("class Line(", MANAGER)
    path.write_text(text.replace("\n    class Meta", "\n    objects = Lines()\n\n    class Meta"))
    sources.commit()
    text = (
        "from orders.models import Line\n"
        "\n"
        "\n"
        "def some(product):\n"
        "    Line.objects.filter(product=product.pk)\n"
        "    Line.objects.get_or_create(product=product)\n"
        "    Line.objects.create(product=product)\n"
    )
    report = twice(sources, files={"orders/some.py": text})
    assert "+    Line.objects.filter(product_id=product.pk)\n" in report
    assert not re.search(r"^-    Line.objects.(get_or_)?create\(", report, flags=re.MULTILINE)
    listed = report.partition("Look at these yourself:\n")[2]
    assert re.findall(r"orders/some\.py:(\d+)", listed) == ["6", "7"]
    assert "orders/services.py:16: `create(product=...)` names the relation" in listed


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("CASCADE", "Line.objects.filter(product_id=event.product_id).delete()"),
        ("PROTECT", "raise ProductInUse(product.pk)"),
        ("DO_NOTHING", "Nothing has to replace it."),
    ],
)
def test_what_a_deletion_did_is_told(sources: Depot, rule: str, says: str) -> None:
    if rule != "CASCADE":
        sources.edit(
            "orders/models.py",
            "Product, on_delete=models.CASCADE",
            f"Product, on_delete=models.{rule}",
        )
        sources.manage("makemigrations")
        sources.commit()
    first = sources.monolift("loosen", "orders.Line.product")
    assert f"(on_delete={rule})" in first
    sources.commit()
    assert says in sources.monolift("loosen", "orders.Line.product", "--dry-run")


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("orders.Line", "names no field. Write app_label.Model.field"),
        ("orders.Line.nothing", "has no field 'nothing'. It has: .*product"),
        ("orders.Line.quantity", "is no ForeignKey and no OneToOneField"),
        ("orders.Line.product_id", "is the column of 'product'|has no field 'product_id'"),
        ("orders.Order.stocks", "is a ManyToManyField. Make the table between"),
        ("admin.LogEntry.user", "lies outside the project"),
    ],
)
def test_a_refusal_says_what_to_do(sources: Depot, field: str, says: str) -> None:
    assert re.search(says, sources.refused("loosen", field))


def test_a_through_model_keeps_its_keys(sources: Depot) -> None:
    sources.monolift("loosen", "orders.Line.stock")
    sources.commit()
    text = sources.refused("loosen", "orders.Line.stock")
    assert "orders.Order.stocks goes through orders.Line and needs orders.Line.stock" in text


def test_an_inherited_field_is_refused(sources: Depot) -> None:
    sources.edit(
        "shop/models.py",
        "    made_at = models.DateTimeField(auto_now_add=True)\n",
        "    made_at = models.DateTimeField(auto_now_add=True)\n"
        '    maker = models.ForeignKey("auth.User", models.CASCADE, null=True, related_name="+")\n',
    )
    sources.manage("makemigrations")
    sources.commit()
    assert "from the abstract Stamped" in sources.refused("loosen", "shop.Shelf.maker")
