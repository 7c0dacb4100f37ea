"""From the rows of a product to what the modules take."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.text import slugify

from config.catalogue_import.grouping import Group, Problem
from config.catalogue_import.markup import one_line, plain_text
from config.catalogue_import.pictures import NONE, NoPicture, NotFetched, Pictures
from config.catalogue_import.report import Report, printable
from config.catalogue_import.rows import Row
from config.catalogue_import.seen import Seen
from modules.catalog.interface import Category, Image, Option, ProductDraft, Sku, VariantDraft
from monolift.kernel import Money

MOST_VARIANTS = 100
MOST_IMAGES = 50
MOST_TAGS = 50
MOST_STOCK = 1_000_000
MOST_MONEY = 10**12
"""The highest price in minor units."""

_HANDLE = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_SKU = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,12}", re.ASCII)
# A spreadsheet takes such a cell for a command to run.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\s0-9.,]*$)")
_YES = {"", "true", "yes", "1"}
_NO = {"false", "no", "0"}
_STATUSES = {"": True, "active": True, "draft": False, "archived": False, "unlisted": False}


@dataclass(frozen=True, kw_only=True, slots=True)
class Incoming:
    """A product on its way into the shop; `draft` is None when it is not for sale."""

    slug: str
    line: int
    draft: ProductDraft | None = None
    categories: tuple[Category, ...] = ()
    prices: Mapping[str, Money]
    stock: Mapping[str, int]
    taxed: Mapping[str, bool] = field(default_factory=dict)


class Refused(Exception):
    """The product cannot be taken over."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems


class ProductReader:
    """Reads products; remembers SKUs, and tells a report what is remarkable."""

    def __init__(self, *, currency: str, seen: Seen, pictures: Pictures, report: Report) -> None:
        self._currency = currency
        self._seen = seen
        self._pictures = pictures
        self._report = report

    def read(self, group: Group) -> Incoming:
        """The product of these rows. Raises Refused, with everything that is wrong with it."""
        problems = [*group.problems]
        if group.handle and not _HANDLE.fullmatch(group.handle):
            problems.append(
                Problem(
                    group.line,
                    f"the handle {printable(group.handle)!r} is none: up to 100 letters, digits, "
                    "hyphens and underscores are possible.",
                )
            )
        if problems or not group.rows:
            raise Refused(problems)
        first = group.rows[0]
        if not self._for_sale(first, problems):
            if problems:
                raise Refused(problems)
            return Incoming(slug=group.handle, line=group.line, prices={}, stock={})
        self._remark_formulas(group)
        options, variants = self._variants(group, problems)
        prices, stock, taxed = {}, {}, {}
        for row, variant in variants:
            price = self._price(row, problems)
            if price is not None:
                prices[str(variant.sku)] = price
            stock[str(variant.sku)] = self._stock(row, problems)
            if row.cells.get("taxed"):
                taxed[str(variant.sku)] = self._taxed(row, problems)
        tags = self._tags(first, problems)
        categories = self._categories(first, problems)
        title = self._title(first, problems)
        description = self._description(first, problems)
        self._claim(variants, problems)
        if problems:
            raise Refused(sorted(problems))
        images, own = self._images(group, variants)
        draft = ProductDraft(
            slug=group.handle,
            title=title,
            description=description,
            image=images[0].path if images else NONE,
            category=categories[-1].slug if categories else "",
            options=options,
            images=images,
            tags=tags,
            offers=tuple(
                VariantDraft(
                    sku=variant.sku,
                    name=variant.name,
                    options=variant.options,
                    image=own.get(variant.image, ""),
                )
                for _, variant in variants
            ),
        )
        return Incoming(
            slug=group.handle,
            line=group.line,
            draft=draft,
            categories=categories,
            prices=prices,
            stock=stock,
            taxed=taxed,
        )

    def _for_sale(self, row: Row, problems: list[Problem]) -> bool:
        status = _STATUSES.get(row.cells.get("status", "").lower())
        published = row.cells.get("published", "").lower()
        if status is None:
            problems.append(
                Problem(row.line, "the status is none of active, draft, archived, unlisted.")
            )
        if published not in _YES | _NO:
            problems.append(Problem(row.line, "Published is neither TRUE nor FALSE."))
        return bool(status) and published in _YES

    def _remark_formulas(self, group: Group) -> None:
        for row in group.rows:
            for name, cell in row.cells.items():
                if name not in ("quantity", "price", "compare") and _FORMULA.match(cell):
                    self._report.remark(
                        row.line,
                        group.handle,
                        "formulas kept as plain text",
                        printable(one_line(cell)),
                    )

    def _title(self, row: Row, problems: list[Problem]) -> str:
        title = one_line(row.cells["title"])
        if not title:
            problems.append(Problem(row.line, "it is a product's first row and has no title."))
        _limit("title", title, 200, row, problems)
        return title

    def _description(self, row: Row, problems: list[Problem]) -> str:
        description = plain_text(row.cells.get("body", ""))
        _limit("description", description, 10_000, row, problems)
        return description

    def _tags(self, row: Row, problems: list[Problem]) -> tuple[str, ...]:
        given = [row.cells.get("vendor", ""), *row.cells.get("tags", "").split(",")]
        tags = tuple(dict.fromkeys(tag for tag in map(one_line, given) if tag))
        if len(tags) > MOST_TAGS:
            problems.append(
                Problem(row.line, f"it has {len(tags)} tags; at most {MOST_TAGS} are possible.")
            )
        for tag in tags:
            _limit("tag", tag, 100, row, problems)
        return tags

    def _categories(self, row: Row, problems: list[Problem]) -> tuple[Category, ...]:
        path = row.cells.get("category", "") or row.cells.get("type", "")
        if path.lower() == "uncategorized":
            return ()
        # Shopify's tree is deep; a shop shows two levels.
        titles = [title for title in map(one_line, path.split(">")) if title][:2]
        found: list[Category] = []
        for title in titles:
            _limit("category", title, 100, row, problems)
            parent = found[0].slug if found else None
            slug = _slug(title)
            found.append(
                Category(slug=f"{parent}-{slug}" if parent else slug, title=title, parent=parent)
            )
        return tuple(found)

    def _variants(
        self, group: Group, problems: list[Problem]
    ) -> tuple[tuple[Option, ...], list[tuple[Row, VariantDraft]]]:
        """Options, and each variant with its row; the variant's image is an address still."""
        first = group.rows[0]
        names = [one_line(first.cells.get(f"option{n} name", "")) for n in (1, 2, 3)]
        names = [name for place, name in enumerate(names) if name or any(names[place:])]
        rows = [row for row in group.rows if row is first or _is_variant(row)]
        only = first.cells.get("option1 value", "").lower() in ("", "default title")
        if len(rows) == 1 and only and (not names or names == ["Title"]):
            names = []
        if len({*names}) < len(names) or not all(names):
            problems.append(Problem(first.line, "its options need a different name each."))
        for name in names:
            _limit("option's name", name, 100, first, problems)
        variants = []
        chosen: dict[tuple[str, ...], int] = {}
        for row in rows:
            values = self._values(row, names, problems)
            before = chosen.setdefault(values, row.line)
            if before != row.line:
                problems.append(
                    Problem(row.line, f"it has the same options as the variant on line {before}.")
                )
            sku = self._sku(row, group.handle, values, problems)
            name = " / ".join(values) or "standard"
            _limit("variant's name", name, 100, row, problems)
            image = row.cells.get("variant image", "")
            variants.append(
                (row, VariantDraft(sku=Sku(sku), name=name, options=values, image=image))
            )
        if len(variants) > MOST_VARIANTS:
            problems.append(
                Problem(
                    group.line,
                    f"it has {len(variants)} variants; at most {MOST_VARIANTS} are possible.",
                )
            )
        columns = zip(*(variant.options for _, variant in variants), strict=True)
        options = tuple(
            Option(name=name, values=tuple(dict.fromkeys(column)))
            for name, column in zip(names, columns, strict=True)
        )
        return options, variants

    def _values(self, row: Row, names: list[str], problems: list[Problem]) -> tuple[str, ...]:
        values = [one_line(row.cells.get(f"option{n} value", "")) for n in (1, 2, 3)]
        for place, name in enumerate(names):
            if not values[place]:
                problems.append(Problem(row.line, f"it has no value for {printable(name)}."))
        if names and any(values[len(names) :]):
            problems.append(Problem(row.line, "it has a value for an option without a name."))
        return tuple(values[: len(names)])

    def _sku(self, row: Row, handle: str, values: tuple[str, ...], problems: list[Problem]) -> str:
        # An apostrophe in front keeps a spreadsheet from reading the SKU as a number.
        sku = row.cells.get("sku", "").removeprefix("'")
        if not sku:
            self._report.remark(row.line, handle, "variants without a SKU: named by their handle")
            return "-".join([handle, *(_slug(value) for value in values)])[:64]
        if not _SKU.fullmatch(sku):
            problems.append(
                Problem(
                    row.line,
                    f"the SKU {printable(sku)!r} is none: up to 64 letters, digits, dots, hyphens "
                    "and underscores are possible.",
                )
            )
        return sku[:64]

    def _price(self, row: Row, problems: list[Problem]) -> Money | None:
        text = row.cells["price"]
        try:
            price = Money.of(text, self._currency)
        except ValueError as error:
            what = f"{error}" if text else "there is no price."
            problems.append(Problem(row.line, f"Variant Price: {what}"))
            return None
        if not 0 < price.amount <= MOST_MONEY:
            problems.append(Problem(row.line, f"Variant Price: {text} is no price to ask."))
            return None
        if row.cells.get("compare", "").strip("0. ") and row.cells["compare"] != text:
            self._report.remark(row.line, "", "compare-at prices not taken over")
        return price

    def _taxed(self, row: Row, problems: list[Problem]) -> bool:
        text = row.cells["taxed"].lower()
        if text not in _YES | _NO:
            problems.append(Problem(row.line, "Variant Taxable is neither TRUE nor FALSE."))
        return text in _YES

    def _stock(self, row: Row, problems: list[Problem]) -> int:
        text = row.cells.get("quantity", "")
        if not text:
            self._report.remark(row.line, "", "variants without a quantity: no stock")
            return 0
        if not _WHOLE.fullmatch(text) or int(text) > MOST_STOCK:
            reason = f"the quantity {printable(text)!r} is no whole number up to {MOST_STOCK:,}."
            problems.append(Problem(row.line, reason))
            return 0
        if int(text) < 0:
            self._report.remark(row.line, "", "quantities below zero: taken as zero")
        return max(int(text), 0)

    def _claim(self, variants: list[tuple[Row, VariantDraft]], problems: list[Problem]) -> None:
        """Refuse SKUs that were in the file before, in this product or in another."""
        own: dict[str, int] = {}
        for row, variant in variants:
            before = own.setdefault(variant.sku, row.line)
            if before == row.line:
                found = self._seen.line("sku", variant.sku)
                before = row.line if found is None else found
            if before != row.line:
                problems.append(
                    Problem(row.line, f"the SKU {variant.sku} is on line {before} already.")
                )
        if not problems:
            for sku, line in own.items():
                self._seen.before("sku", sku, line=line)

    def _images(
        self, group: Group, variants: list[tuple[Row, VariantDraft]]
    ) -> tuple[tuple[Image, ...], dict[str, str]]:
        """The pictures in order, and the paths of all addresses."""
        wanted: dict[str, tuple[int, int, str]] = {}
        for row in group.rows:
            source = row.cells.get("image", "")
            if source and source not in wanted:
                place = row.cells.get("image position", "")
                number = int(place) if _WHOLE.fullmatch(place) else len(group.rows)
                text = one_line(row.cells.get("image text", ""))[:500]
                wanted[source] = (number, row.line, text)
        paths: dict[str, str] = {}
        images: dict[str, Image] = {}
        for source, (_, line, text) in sorted(wanted.items(), key=lambda one: one[1][:2]):
            path = self._picture(source, line, group.handle)
            if path and len(images) < MOST_IMAGES:
                paths[source] = path
                images.setdefault(path, Image(path=path, alt=text))
        for row, variant in variants:
            if variant.image and variant.image not in wanted:
                path = self._picture(variant.image, row.line, group.handle)
                if path:
                    paths[variant.image] = path
        return tuple(images.values()), paths

    def _picture(self, source: str, line: int, handle: str) -> str:
        try:
            return self._pictures.path(source)
        except NotFetched as missing:
            name = hashlib.sha256(source.encode()).hexdigest()
            if self._seen.before("image", name, line=line) is None:
                detail = f"{printable(source, most=100)}: {missing}."
                self._report.remark(line, handle, "pictures not fetched", detail)
        except NoPicture as problem:
            self._report.refuse_picture(line, handle, str(problem))
        return ""


def _is_variant(row: Row) -> bool:
    return any(row.cells.get(name) for name in ("sku", "price", "option1 value"))


def _limit(what: str, text: str, most: int, row: Row, problems: list[Problem]) -> None:
    if len(text) > most:
        reason = f"the {what} has {len(text):,} characters; at most {most:,} are possible."
        problems.append(Problem(row.line, reason))


def _slug(title: str) -> str:
    """A name for addresses; one made from a digest where no letter of it is ASCII."""
    return slugify(title)[:49].strip("-") or hashlib.sha256(title.encode()).hexdigest()[:8]
