"""Draws data/images/*.svg from data/drawings.toml. The same drawings give the same files."""

import tomllib
from pathlib import Path

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
    """Write a file for each drawing."""
    drawings = tomllib.loads((DATA / "drawings.toml").read_text(encoding="utf-8"))
    folder = DATA / "images"
    folder.mkdir(exist_ok=True)
    for slug, picture in drawings.items():
        page = PAGE.format(
            title=slug.replace("-", " ").capitalize(),
            ground=picture["ground"],
            ink=INK,
            drawing=picture["drawing"].strip().format(ink=INK, main=picture["main"]),
        )
        (folder / f"{slug}.svg").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
