"""Draws data/images/*.svg from data/drawings.toml and data/products. The same data, the same files.

A product has a picture in the colour of its first variant, named by its slug, and one more for each
other colour it can be had in.
"""

import tomllib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "data"
INK = "#2b2a33"
PAGE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" role="img">
<title>{title}</title>
<rect width="100" height="100" fill="{ground}"/>
<ellipse cx="50" cy="84" rx="32" ry="4" fill="{ink}" opacity=".12"/>
<g stroke="{ink}" stroke-width="1.6" stroke-linejoin="round" stroke-linecap="round">
{drawing}
</g>
</svg>
"""


def main() -> None:
    """Write a file for each picture, and remove those that are of nothing any more."""
    box = tomllib.loads((DATA / "drawings.toml").read_text(encoding="utf-8"))
    folder = DATA / "images"
    folder.mkdir(exist_ok=True)
    pages = dict(_pages(box))
    for old in folder.glob("*.svg"):
        if old.stem not in pages:
            old.unlink()
    for name, page in pages.items():
        (folder / f"{name}.svg").write_text(page, encoding="utf-8")


def _pages(box: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and content of every picture."""
    yield "no-picture", _page(box, "no-picture", "No picture", "no-picture", "#c8c5bf")
    for file in sorted((DATA / "products").glob("*.toml")):
        for product in tomllib.loads(file.read_text(encoding="utf-8"))["products"]:
            slug, title, drawing = product["slug"], product["title"], product["drawing"]
            colours = shown_colours(product, box["colours"]) or [product["colour"]]
            for number, colour in enumerate(colours):
                name = picture(slug, colour if number else "")
                words = f"{title}, {colour}" if len(colours) > 1 else title
                yield name, _page(box, slug, words, drawing, box["colours"][colour])


def shown_colours(product: dict[str, Any], colours: dict[str, str]) -> list[str]:
    """The colours among a product's options; none when no option is a colour."""
    for place in range(len(product.get("options", ()))):
        values = list(dict.fromkeys(one["options"][place] for one in product["variants"]))
        if all(value in colours for value in values):
            return values
    return []


def picture(slug: str, colour: str) -> str:
    """The name of a picture; the first colour's is the product's."""
    return f"{slug}-{colour.replace(' ', '-')}" if colour else slug


def _page(box: dict[str, Any], slug: str, title: str, drawing: str, main: str) -> str:
    grounds = box["grounds"]
    shades = {"ink": INK, "main": main, "shade": _mixed(main, INK, 22), "light": _light(main)}
    return PAGE.format(
        title=title.replace("&", "&amp;"),
        ground=grounds[zlib.crc32(slug.encode()) % len(grounds)],
        ink=INK,
        drawing=box["drawings"][drawing].strip().format(**shades),
    )


def _light(main: str) -> str:
    return _mixed(main, "#ffffff", 55)


def _mixed(one: str, other: str, percent: int) -> str:
    """A colour with so many percent of another one in it."""
    mixed = (
        (
            int(one[place : place + 2], 16) * (100 - percent)
            + int(other[place : place + 2], 16) * percent
        )
        // 100
        for place in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in mixed)


if __name__ == "__main__":
    main()
