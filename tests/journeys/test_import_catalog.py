"""`manage.py import_catalog`: good products are taken over, whatever stands beside them."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pytest_django import Settings

from config.catalogue_import.markup import plain_text
from config.catalogue_import.rows import MOST_LINE
from modules.catalog.interface import Catalog, Product, Sku
from modules.inventory.interface import Inventory
from modules.inventory.interface import Sku as StockedSku
from modules.pricing.interface import Pricing, QuoteLine
from monolift import Money, use
from monolift.registry.sql import fetch
from monolift.registry.topology import topology
from tests.shop import shelve

pytestmark = pytest.mark.django_db(databases="__all__")

EXAMPLE = Path(django_settings.BASE_DIR) / "data" / "shopify-export.csv"
COLUMNS = EXAMPLE.read_text(encoding="utf-8").splitlines()[0].split(",")


@pytest.fixture(autouse=True)
def data(settings: Settings, tmp_path: Path) -> Path:
    """A folder of the test's own for pictures that are taken over."""
    folder = tmp_path / "data" / "images"
    settings.IMPORTED_IMAGES = folder
    settings.STATICFILES_DIRS = [("imported", folder)]
    return folder


def row(handle: str = "mug", **cells: str) -> dict[str, str]:
    """A row; a cell is named like its column, with underscores."""
    return {"Handle": handle, **{name.replace("_", " "): cell for name, cell in cells.items()}}


def mug(handle: str = "mug", **cells: str) -> dict[str, str]:
    """A product of one variant."""
    good = {"Title": "Mug", "Variant_SKU": handle.upper(), "Variant_Price": "12.50"}
    return row(handle, **{**good, "Variant_Inventory_Qty": "7", **cells})


def table(*rows: Mapping[str, str], columns: Sequence[str] = COLUMNS, delimiter: str = ",") -> str:
    """A file of these rows."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


class Import:
    """One run: what it printed, what it listed, how it ended."""

    def __init__(self, file: Path, *arguments: str) -> None:
        out, listed = io.StringIO(), io.StringIO()
        self.error = ""
        self.code = 0
        try:
            call_command("import_catalog", str(file), *arguments, stdout=out, stderr=listed)
        except CommandError as error:
            self.error, self.code = str(error), error.returncode
        self.summary, self.lines = out.getvalue(), listed.getvalue().splitlines()


@pytest.fixture
def taken(tmp_path: Path) -> "type[Importer]":
    """Imports a text or bytes."""
    Importer.folder = tmp_path
    return Importer


class Importer(Import):
    """An import of a content instead of a file."""

    folder: Path

    def __init__(self, content: str | bytes, *arguments: str) -> None:
        file = self.folder / "products.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        super().__init__(file, *arguments)


def product(slug: str = "mug", *, currency: str = "EUR") -> Product:
    """A product of the shop."""
    return use(Catalog).product(slug=slug, currency=currency)


def slugs() -> list[str]:
    """What is on the shelves."""
    return [one.slug for one in use(Catalog).products(currency="EUR").products]


def events() -> int:
    """How many events were published."""
    alias = topology().alias("catalog")
    return int(fetch(alias, "SELECT COUNT(*) FROM monolift_outbox WHERE module = 'catalog'")[0][0])


def stock(*skus: str) -> list[int]:
    """What can be bought of each."""
    found = use(Inventory).available(skus=[StockedSku(sku) for sku in skus])
    return [found[StockedSku(sku)] for sku in skus]


def test_the_example_is_taken_over_and_a_second_time_changes_nothing() -> None:
    for _ in range(2):
        done = Import(EXAMPLE)
        assert (done.code, done.error) == (0, "")
        assert events() == 3
        assert stock("TEE-NAVY-S", "TEE-SAND-M", "MAT-ROPE") == [12, 0, 25]
    assert slugs() == ["enamel-jug", "harbour-tee", "rope-doormat"]
    tee = product("harbour-tee")
    assert [(one.name, one.values) for one in tee.options] == [
        ("Colour", ("Navy", "Sand")),
        ("Size", ("S", "M")),
    ]
    assert [(one.sku, one.name, one.price) for one in tee.variants] == [
        ("TEE-NAVY-S", "Navy / S", Money.of("32.00", "EUR")),
        ("TEE-NAVY-M", "Navy / M", Money.of("32.00", "EUR")),
        ("TEE-SAND-S", "Sand / S", Money.of("32.00", "EUR")),
        ("TEE-SAND-M", "Sand / M", Money.of("34.50", "EUR")),
    ]
    assert tee.tags == ("Quayside", "cotton", "summer")
    assert tee.category == "apparel-accessories-clothing"
    assert "- 220 g organic cotton" in tee.description
    assert [(one.slug, one.count) for one in use(Catalog).categories() if not one.parent] == [
        ("apparel-accessories", 1),
        ("home-garden", 2),
    ]
    assert [one.name for one in product("rope-doormat").variants] == ["standard"]
    assert "<" not in product("rope-doormat").description


def test_the_guide_shows_what_it_prints() -> None:
    guide = (Path(django_settings.BASE_DIR) / "docs/guides/import.md").read_text(encoding="utf-8")
    shown = guide.partition("ends with\n\n```text\n")[2].partition("```")[0]
    assert Import(EXAMPLE).summary.strip() == shown.strip()


def test_pictures_that_are_not_there_are_listed_once_each() -> None:
    done = Import(EXAMPLE)
    missing = [line for line in done.lines if "pictures not fetched" in line]
    assert len(missing) == len(done.lines) == 5
    assert "--images" in missing[0]
    assert product("harbour-tee").image == "products/no-picture.svg"


def test_local_copies_of_pictures_are_checked_and_taken(tmp_path: Path, data: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    names = ("harbour-tee-navy", "harbour-tee-sand", "rope-doormat", "enamel-jug")
    for number, name in enumerate(names):
        picture = Image.effect_noise((64, 64), 10 + number)
        picture.save(folder / f"{name}.png", format="WEBP" if number == 2 else "PNG")
    (folder / "harbour-tee-label.png").write_text("<script>alert(1)</script>")
    jug = folder / "enamel-jug.png"
    jug.write_bytes(jug.read_bytes()[:1000])
    done = Import(EXAMPLE, "--images", str(folder))
    assert done.code == 1
    assert [line for line in done.lines if "no PNG, JPEG or WebP picture" in line]
    assert [line for line in done.lines if "enamel-jug.png is damaged" in line]
    assert len(done.lines) == 2
    tee = product("harbour-tee")
    assert [one.alt for one in tee.images] == ["The tee in navy", "The tee in sand"]
    assert [one.image == tee.images[1].path for one in tee.variants] == [False, False, True, True]
    assert product("rope-doormat").image.endswith(".webp")
    stored = sorted(file.name for file in data.iterdir())
    assert len(stored) == 3
    assert tee.image == f"imported/{Path(tee.image).name}"
    assert Path(tee.image).name in stored
    served = Client().get(f"/static/{tee.image}")
    assert (served.status_code, served["Content-Type"]) == (200, "image/png")
    assert b"".join(served) == (folder / "harbour-tee-navy.png").read_bytes()
    before = events()
    Import(EXAMPLE, "--images", str(folder))
    assert events() == before


@pytest.mark.parametrize(
    "address",
    [
        "../secret.png",
        "https://x/..%2fsecret.png",
        "https://x/%00",
        "https://[x",
        "/",
        "..",
    ],
)
def test_a_picture_from_elsewhere_is_not_read(
    taken: type[Importer], tmp_path: Path, address: str
) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    for source in (address, "https://x/link.png"):
        done = taken(table(mug(Image_Src=source)), "--images", str(folder))
        assert done.code == 0
        assert "pictures not fetched" in done.lines[0]
        assert product().image == "products/no-picture.svg"


def test_a_picture_of_too_many_pixels_is_refused(taken: type[Importer], tmp_path: Path) -> None:
    Image.new("1", (6000, 5000)).save(tmp_path / "huge.png")
    done = taken(table(mug(Image_Src="huge.png")), "--images", str(tmp_path))
    assert done.code == 1
    assert "30,000,000 pixels; at most 25,000,000" in done.lines[0]
    assert slugs() == ["mug"]


def test_a_dry_run_says_the_same_and_writes_nothing(
    taken: type[Importer], tmp_path: Path, data: Path
) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    text = table(mug(Image_Src="a.png"), mug("bad", Variant_Price="x"))
    dry = taken(text, "--dry-run", "--images", str(tmp_path))
    assert (slugs(), events(), stock("MUG"), data.exists()) == ([], 0, [0], False)
    wet = taken(text, "--images", str(tmp_path))
    assert (dry.code, dry.lines, dry.error) == (wet.code, wet.lines, wet.error)
    assert slugs() == ["mug"]


def test_prices_are_in_the_currency_that_was_asked_for(taken: type[Importer]) -> None:
    assert taken(table(mug(Variant_Price="1250")), "--currency", "JPY").code == 0
    assert product(currency="JPY").variants[0].price == Money(1250, "JPY")
    assert product(currency="EUR").variants[0].price is None
    refused = taken(table(mug(Variant_Price="12.50")), "--currency", "JPY")
    assert (refused.code, len(refused.lines)) == (1, 1)


def test_what_is_not_taxable_has_no_tax(taken: type[Importer]) -> None:
    def tax() -> list[int]:
        lines = [QuoteLine(sku=sku, quantity=1) for sku in ("MUG", "VOUCHER")]
        return [
            one.tax.amount
            for one in use(Pricing).quote(lines=lines, currency="EUR", country="DE").lines
        ]

    voucher = mug("voucher", Variant_Price="10.00", Variant_Taxable="FALSE")
    for _ in range(2):
        assert taken(table(mug(Variant_Price="10.00"), voucher)).code == 0
        assert tax() == [190, 0]
    assert taken(table(voucher | {"Variant Taxable": ""})).code == 0
    assert tax() == [190, 0], "not said: as it was"
    assert taken(table(voucher | {"Variant Taxable": "true"})).code == 0
    assert tax() == [190, 190]


# Each is put between two good products, which are taken over.
BAD: dict[str, tuple[list[dict[str, str]], str]] = {
    "no price": ([mug("bad", Variant_Price="")], "line 3: bad: Variant Price: there is no price"),
    "a price that is no number": ([mug("bad", Variant_Price="12,50 €")], "is not an amount"),
    "a price of nothing": ([mug("bad", Variant_Price="0.00")], "is no price to ask"),
    "a price below zero": ([mug("bad", Variant_Price="-1")], "is no price to ask"),
    "an endless price": ([mug("bad", Variant_Price="9" * 30)], "Variant Price"),
    "no title": ([mug("bad", Title="")], "has no title"),
    "a long title": ([mug("bad", Title="x" * 201)], "the title has 201 characters"),
    "no handle": ([mug("")], "line 3: first: it has no handle"),
    "a handle that is none": ([mug("no good")], "the handle 'no good' is none"),
    "a SKU that is none": ([mug("bad", Variant_SKU="a b")], "the SKU 'a b' is none"),
    "a quantity that is none": ([mug("bad", Variant_Inventory_Qty="many")], "no whole number"),
    "a status that is none": ([mug("bad", Status="odd")], "the status is none of"),
    "published or not": ([mug("bad", Published="perhaps")], "neither TRUE nor FALSE"),
    "taxed or not": ([mug("bad", Variant_Taxable="perhaps")], "Variant Taxable is neither TRUE"),
    "a NUL byte": ([mug("bad", Title="a\0b")], "it holds a NUL byte"),
    "a long description": ([mug("bad", **{"Body (HTML)": "x" * 10_001})], "the description has"),
    "a million characters": ([mug("bad", **{"Body (HTML)": "x" * 10**6})], "a cell may have"),
    "a line too long": ([mug("bad", Tags="x" * MOST_LINE)], "has more than 1,048,576 bytes"),
    "too many tags": ([mug("bad", Tags=",".join(f"t{n}" for n in range(51)))], "51 tags"),
    "the same SKU": ([mug("bad", Variant_SKU="FIRST")], "the SKU FIRST is on line 2 already"),
    "options without names": (
        [mug("bad"), row("bad", Option1_Value="b", Variant_SKU="B", Variant_Price="1")],
        "it has the same options as the variant on line 3",
    ),
    "an option without a value": (
        [mug("bad", Option1_Name="Size")],
        "it has no value for Size",
    ),
    "a value without an option": (
        [mug("bad", Option1_Name="Size", Option1_Value="S", Option2_Value="red")],
        "a value for an option without a name",
    ),
    "the same options twice": (
        [
            mug("bad", Option1_Name="Size", Option1_Value="S"),
            row("bad", Option1_Value="S", Variant_SKU="B", Variant_Price="1"),
        ],
        "line 4: bad: it has the same options as the variant on line 3",
    ),
    "a bad second variant": (
        [
            mug("bad", Option1_Name="Size", Option1_Value="S"),
            row("bad", Option1_Value="M", Variant_SKU="B", Variant_Price="cheap"),
        ],
        "line 4: bad: Variant Price: 'cheap' is not an amount",
    ),
    "too many variants": (
        [
            mug("bad", Option1_Name="Size", Option1_Value="0"),
            *(
                row("bad", Option1_Value=str(n), Variant_SKU=f"B{n}", Variant_Price="1")
                for n in range(1, 101)
            ),
        ],
        "it has 101 variants; at most 100",
    ),
}


@pytest.mark.parametrize(("rows", "problem"), BAD.values(), ids=list(BAD))
def test_a_bad_product_is_named_by_line_and_the_others_are_kept(
    taken: type[Importer], rows: list[dict[str, str]], problem: str
) -> None:
    done = taken(table(mug("first"), *rows, mug("last")))
    assert done.code == 1
    assert [line for line in done.lines if problem in line], done.lines
    assert "products refused" in done.summary
    # A row that does not tell whose it is takes the product above it along.
    assert slugs() == (["last"] if "no handle" in problem else ["first", "last"])


def test_a_refused_product_stays_as_it_was(taken: type[Importer]) -> None:
    rows = [
        mug(Option1_Name="Size", Option1_Value="S"),
        row(Option1_Value="M", Variant_SKU="MUG-M", Variant_Price="14"),
    ]
    assert taken(table(*rows)).code == 0
    before = product()
    rows[1]["Variant Price"] = "fourteen"
    rows[0]["Variant Price"] = "99"
    assert taken(table(*rows)).code == 1
    assert product() == before


def test_a_byte_that_is_not_utf8_is_found(taken: type[Importer]) -> None:
    content = table(mug("first"), mug("bad", Title="Caf#"), mug("last")).encode()
    done = taken(content.replace(b"#", b"\xe9"))
    position = content.index(b"#")
    assert done.code == 1
    assert f"byte 0xE9 at position {position:,} of the file (line 3) is not UTF-8" in done.lines[0]
    assert "Save it as CSV in UTF-8" in done.lines[0]
    assert slugs() == ["first", "last"]


def test_a_quote_that_is_never_closed_does_not_swallow_the_rest(taken: type[Importer]) -> None:
    rows = [mug(f"p{number}", **{"Body (HTML)": "x" * 1000}) for number in range(300)]
    lines = table(*rows).splitlines(keepends=True)
    lines[1] = lines[1].replace("Mug", '"Mug', 1)
    done = taken("".join(lines))
    assert done.code == 1
    assert "line 2: p0: it is too large" in done.lines[0]
    assert "Perhaps a quote is opened and never closed" in done.lines[0]
    assert "goes on until line" in done.lines[0]
    assert product("p299")


def test_rows_of_a_product_far_apart_are_refused(taken: type[Importer]) -> None:
    done = taken(table(mug("a"), mug("b"), mug("a", Title="Other", Variant_SKU="A2")))
    assert done.code == 1
    assert done.lines == ["line 4: a: a begins on line 2 already: keep a product's rows together."]
    assert product("a").title == "Mug"


def test_a_sku_of_another_product_keeps_its_price(taken: type[Importer]) -> None:
    shelve("MUG", price="10.00")
    done = taken(table(mug("thief", Variant_SKU="MUG", Variant_Price="0.01"), mug("good")))
    assert done.lines == ["line 2: thief: the SKU MUG belongs to the product mug."]
    assert product("mug").variants[0].price == Money.of("10.00", "EUR")
    use(Catalog).withdraw_product(slug="mug")
    # Withdrawn, so only the batch itself finds out; the others in it are taken over.
    done = taken(table(mug("thief", Variant_SKU="MUG"), mug("fine")))
    assert "MUG is a variant of mug" in done.lines[0]
    assert slugs() == ["fine", "good"]


def test_formulas_are_text_and_are_told(taken: type[Importer]) -> None:
    formula = "=cmd|'/C calc'!A0"
    done = taken(table(mug(Title=formula, Tags="-5, @home", Image_Alt_Text="+SUM(A1)")))
    assert done.code == 0
    assert len([line for line in done.lines if "formulas kept as plain text" in line]) == 3
    assert product().title == formula


def test_what_is_not_for_sale_is_withdrawn(taken: type[Importer]) -> None:
    for change in ({"Status": "archived"}, {"Status": "draft"}, {"Published": "FALSE"}):
        taken(table(mug()))
        assert slugs() == ["mug"]
        assert taken(table(mug(**change))).code == 0
        assert slugs() == []


def test_stock_is_counted_in_once(taken: type[Importer]) -> None:
    taken(table(mug(Variant_Inventory_Qty="25000")))
    assert stock("MUG") == [25000]
    taken(table(mug(Variant_Inventory_Qty="30000")))
    assert stock("MUG") == [25000]
    done = taken(
        table(mug("pot", Variant_Inventory_Qty="-3"), mug("tin", Variant_Inventory_Qty=""))
    )
    assert stock("POT", "TIN") == [0, 0]
    assert "quantities below zero" in done.summary
    assert "without a quantity" in done.summary


def test_a_variant_without_a_sku_gets_one_that_stays(taken: type[Importer]) -> None:
    rows = [
        mug(Option1_Name="Size", Option1_Value="S", Variant_SKU=""),
        row(Option1_Value="XL wide", Variant_Price="14"),
        mug("tin", Variant_SKU="'00123"),
    ]
    assert taken(table(*rows)).code == 0
    assert [one.sku for one in product().variants] == ["mug-s", "mug-xl-wide"]
    assert list(use(Catalog).labels(skus=[Sku("00123")])) == ["00123"]
    before = events()
    taken(table(*rows))
    assert events() == before


def test_newer_column_names_other_separators_and_a_byte_order_mark(taken: type[Importer]) -> None:
    text = "Title;URL handle;Description;SKU;Price;Inventory quantity;Status\n"
    text += "Mug;mug;<p>For tea.</p>;MUG;12.50;3;Active\n\n;;;;;;\n"
    assert taken(b"\xef\xbb\xbf" + text.encode()).code == 0
    assert (product().description, stock("MUG")) == ("For tea.", [3])


NO_FILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "a workbook": (b"PK\x03\x04rest", "is an Excel workbook or a ZIP archive, not a CSV"),
    "UTF-16": ("Handle,Title".encode("utf-16"), "is text in UTF-16"),
    "a picture": (b"\x89PNG\r\n\x1a\n", "is a picture"),
    "something": (b"hello\n", "columns Handle, Title, Variant Price cannot be found"),
    "a column is missing": (b"Handle,Title\n", "the column Variant Price cannot be found"),
    "a column twice": (b"Handle,Title,Title,Variant Price\n", "'Title' is there twice"),
    "Latin-1 columns": (b"Handle,Title,Variant Price,Gr\xf6\xdfe\n", "byte 0xF6 at position 29"),
    "a line without end": (b"x" * (MOST_LINE + 5), "has more than 1,048,576 bytes"),
    "old line ends": (b"Handle,Title,Variant Price\rmug,Mug,1\r", "carriage return"),
}


@pytest.mark.parametrize(("content", "problem"), NO_FILE.values(), ids=list(NO_FILE))
def test_a_file_of_another_kind_is_refused(
    taken: type[Importer], content: bytes, problem: str
) -> None:
    done = taken(content)
    assert done.code == 1
    assert problem in done.error
    assert done.summary == ""


def test_a_folder_or_no_file_is_refused(tmp_path: Path) -> None:
    assert "is a folder" in Import(tmp_path).error
    assert "is not there" in Import(tmp_path / "none.csv").error
    assert "is not a folder" in Import(EXAMPLE, "--images", str(tmp_path / "none")).error


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(content=st.binary(max_size=300), begun=st.booleans())
def test_any_bytes_end_in_a_sentence(taken: type[Importer], content: bytes, begun: bool) -> None:
    head = b"Handle,Title,Variant Price,Image Src,Body (HTML)\n" if begun else b""
    assert taken(head + content).code in (0, 1)


CELLS = st.one_of(
    st.sampled_from(["", "a", "mug", "1", "TRUE", "active", "=1+1", '"', "\0", "S", "a/../b"]),
    st.text(max_size=30),
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(st.dictionaries(st.sampled_from(COLUMNS), CELLS, max_size=12), max_size=6),
    dry=st.booleans(),
)
def test_any_cells_end_in_a_sentence(
    taken: type[Importer], rows: list[dict[str, str]], dry: bool
) -> None:
    full = [{**mug(), **row} for row in rows]
    content = table(*full).encode("utf-8", errors="surrogatepass")
    assert taken(content, *["--dry-run"] * dry, "--images", str(taken.folder)).code in (0, 1)


@given(markup=st.text(st.sampled_from("<>/!-?&#;x1 \"'=\nscriptbla"), max_size=200))
def test_text_from_markup_has_no_elements_left(markup: str) -> None:
    text = plain_text(f"<p>{markup}</p>")
    assert text == text.strip()
    assert "\n\n\n" not in text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>Two<br>Three</p>", "One\n\nTwo\nThree"),
        ("<ul>\n<li>One</li>\n<li>Two</li>\n</ul>", "- One\n- Two"),
        ("a<script>alert(1)</script>b<style>p{}</style>c", "abc"),
        ("<img src=x onerror=alert(1)>a<svg onload=x><b>no</b></svg>", "a"),
        ("<a href='javascript:alert(1)'>link</a>", "link"),
        ('<p title="a > b">x &amp; y</p>', "x & y"),
        ("<!-- hidden --><b>seen</b><script>never closed", "seen"),
        ("5 < 6 &amp;&amp; 7 &gt; 6", "5 < 6 && 7 > 6"),
        ("no markup\r\nat all", "no markup\nat all"),
        ("&#" + "9" * 5000 + ";x&#0;", "x\ufffd"),
        ("a\u202eb\u200bc", "abc"),
    ],
)
def test_markup_becomes_text(markup: str, text: str) -> None:
    assert plain_text(markup) == text


@pytest.mark.parametrize(
    "piece", ["<", "<!--", "<a ", "<a b='", "&", "&#", "</", "<script>", "<p>"]
)
def test_broken_markup_takes_no_time(piece: str) -> None:
    # In quadratic time each of these would take minutes.
    plain_text(piece * (300_000 // len(piece)))
