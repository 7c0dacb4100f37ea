"""The columns of Shopify's product CSV that are read here.

The names are those of the export that begins with `Handle`, and those of the newer template with
`URL handle` (Shopify's help: "Using CSV files to import and export products"). Capitals do not
matter, and columns that are not listed are skipped.
"""

from collections.abc import Mapping, Sequence

# What it is called here, and what the file may call it.
NAMES: dict[str, tuple[str, ...]] = {
    "handle": ("Handle", "URL handle"),
    "title": ("Title",),
    "body": ("Body (HTML)", "Description"),
    "vendor": ("Vendor",),
    "category": ("Product Category", "Standard Product Type", "Standardized Product Type"),
    "type": ("Type", "Custom Product Type"),
    "tags": ("Tags",),
    "published": ("Published", "Published on online store"),
    "option1 name": ("Option1 Name",),
    "option1 value": ("Option1 Value",),
    "option2 name": ("Option2 Name",),
    "option2 value": ("Option2 Value",),
    "option3 name": ("Option3 Name",),
    "option3 value": ("Option3 Value",),
    "sku": ("Variant SKU", "SKU"),
    "tracker": ("Variant Inventory Tracker", "Inventory tracker"),
    "quantity": ("Variant Inventory Qty", "Inventory quantity"),
    "price": ("Variant Price", "Price"),
    "compare": ("Variant Compare At Price", "Compare-at price"),
    "taxed": ("Variant Taxable", "Charge tax"),
    "image": ("Image Src", "Product image URL"),
    "image position": ("Image Position",),
    "image text": ("Image Alt Text",),
    "variant image": ("Variant Image", "Variant image URL"),
    "status": ("Status",),
}
NEEDED = ("handle", "title", "price")

_KNOWN = {given.lower(): name for name, spellings in NAMES.items() for given in spellings}


class UnknownColumns(ValueError):
    """The first line does not name the columns that are needed, or names one twice."""


def places(header: Sequence[str]) -> Mapping[str, int]:
    """Where each column is. Raises UnknownColumns."""
    found: dict[str, int] = {}
    for place, given in enumerate(header):
        name = _KNOWN.get(given.strip().lower())
        if name is None:
            continue
        if name in found:
            raise UnknownColumns(f"the column {given.strip()!r} is there twice")
        found[name] = place
    missing = [NAMES[name][0] for name in NEEDED if name not in found]
    if missing:
        columns = "column" if len(missing) == 1 else "columns"
        raise UnknownColumns(f"the {columns} {', '.join(missing)} cannot be found in line 1")
    return found
