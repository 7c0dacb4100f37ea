"""Draws data/images/*.svg, one plain picture for each product of the sample catalogue.

Run it after changing a drawing: `python data/make_images.py`. The output is the same every time.
Everything is drawn on a square of 100 by 100; `{ink}` is the dark colour, `{main}` the product's.
"""

from pathlib import Path

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

# slug: (ground, main colour, drawing)
DRAWINGS = {
    "stoneware-mug": (
        "#efe6d8",
        "#c9ad86",
        '<path d="M68 42h9a9 9 0 0 1 0 26h-9" fill="none" stroke-width="5"/>'
        '<path d="M28 32h40v44a6 6 0 0 1-6 6H34a6 6 0 0 1-6-6z" fill="{main}"/>'
        '<path d="M28 46h40" fill="none"/>',
    ),
    "steel-bottle": (
        "#dfe7ec",
        "#9fb3c0",
        '<path d="M44 20h12v10c8 4 9 9 9 15v32a6 6 0 0 1-6 6H41a6 6 0 0 1-6-6V45c0-6 1-11 9-15z" '
        'fill="{main}"/><rect x="43" y="13" width="14" height="9" rx="2" fill="{ink}"/>',
    ),
    "canvas-tote": (
        "#f1ead9",
        "#e0cfa6",
        '<path d="M38 42V28a12 12 0 0 1 24 0v14" fill="none" stroke-width="3"/>'
        '<path d="M26 40h48l4 44H22z" fill="{main}"/>',
    ),
    "desk-lamp": (
        "#e9e4ef",
        "#f5f2fa",
        '<path d="M36 82 30 52l26-26" fill="none" stroke-width="3"/>'
        '<path d="m50 18 24 22-20 6-12-14z" fill="{main}"/>'
        '<rect x="24" y="78" width="28" height="6" rx="3" fill="{ink}"/>',
    ),
    "dotted-notebook": (
        "#dcebe4",
        "#5f8f7b",
        '<rect x="28" y="18" width="46" height="64" rx="3" fill="{main}"/>'
        '<path d="M36 18v64M62 18v64" fill="none"/>',
    ),
    "linen-cushion": (
        "#f0e2da",
        "#c98a6b",
        '<path d="M22 30q28 6 56 0-6 26 0 52-28-6-56 0 6-26 0-52z" fill="{main}"/>',
    ),
    "terracotta-pot": (
        "#e6efdf",
        "#c4734b",
        '<path d="M50 44c-4-16-16-18-20-18 2 12 10 18 20 18zm0 0c2-20 14-26 20-26 0 14-8 24-20 26z" '
        'fill="#6f9a5b"/><path d="M30 44h40v10h-4l-4 29H38l-4-29h-4z" fill="{main}"/>',
    ),
    "chef-knife": (
        "#e4e8ea",
        "#c7d1d6",
        '<path d="M18 40h46v14H44q-18 0-26-14z" fill="{main}"/>'
        '<rect x="64" y="40" width="24" height="9" rx="4" fill="{ink}"/>',
    ),
    "olive-board": (
        "#efe8d3",
        "#b98f4e",
        '<path d="M32 34h36a6 6 0 0 1 6 6v36a6 6 0 0 1-6 6H32a6 6 0 0 1-6-6V40a6 6 0 0 1 6-6zm12 0V18'
        'h12v16" fill="{main}"/><path d="M36 46q14 8 28 0M36 58q14 8 28 0M36 70q14 8 28 0" '
        'fill="none"/>',
    ),
    "wool-blanket": (
        "#ece6e6",
        "#b9625e",
        '<rect x="20" y="34" width="60" height="18" rx="8" fill="{main}"/>'
        '<rect x="20" y="50" width="60" height="18" rx="8" fill="{main}"/>'
        '<path d="M20 66h60v16H20z" fill="{main}"/><path d="M26 82v5m12-5v5m12-5v5m12-5v5m12-5v5" '
        'fill="none"/>',
    ),
    "beeswax-candles": (
        "#f6ecd0",
        "#e3b34c",
        '<path d="M30 40h10v43H30zm15-10h10v53H45zm15 6h10v47H60z" fill="{main}"/>'
        '<path d="M35 40v-8m15-2v-8m15 14v-8" fill="none"/>',
    ),
    "wall-clock": (
        "#e2e9f1",
        "#faf7f0",
        '<circle cx="50" cy="48" r="32" fill="{main}"/>'
        '<path d="M50 22v4m26 22h-4M50 74v-4M24 48h4M50 48V32m0 16 12 8" fill="none" '
        'stroke-width="3"/>',
    ),
    "storm-umbrella": (
        "#dde7f2",
        "#3d5a80",
        '<path d="M14 52a36 34 0 0 1 72 0q-6-6-12 0-6-6-12 0-6-6-12 0-6-6-12 0-6-6-12 0-6-6-12 0z" '
        'fill="{main}"/><path d="M50 18v-5m0 39v26a6 6 0 0 1-12 0" fill="none" stroke-width="3"/>',
    ),
    "over-ear-headphones": (
        "#e8e3dc",
        "#d3bf9f",
        '<path d="M24 60V48a26 26 0 0 1 52 0v12" fill="none" stroke-width="5"/>'
        '<rect x="17" y="54" width="16" height="28" rx="7" fill="{main}"/>'
        '<rect x="67" y="54" width="16" height="28" rx="7" fill="{main}"/>',
    ),
    "pour-over-set": (
        "#e9eef0",
        "#ffffff",
        '<path d="M30 18h40L56 44H44z" fill="{main}"/><path d="M44 44h12l14 32a6 6 0 0 1-6 8H36a6 6 0 '
        '0 1-6-8z" fill="#d7e6ea"/><path d="m36 64-6 12a6 6 0 0 0 6 8h28a6 6 0 0 0 6-8l-6-12z" '
        'fill="#6b4630"/>',
    ),
    "cast-iron-pan": (
        "#ece7e1",
        "#4a4a50",
        '<path d="M64 52 92 38" fill="none" stroke-width="7"/>'
        '<circle cx="42" cy="56" r="27" fill="{main}"/><circle cx="42" cy="56" r="20" '
        'fill="#5d5d64"/>',
    ),
    "tea-tin": (
        "#e3eddd",
        "#7fa66a",
        '<rect x="30" y="32" width="40" height="51" rx="4" fill="{main}"/>'
        '<rect x="28" y="22" width="44" height="12" rx="4" fill="{ink}"/>'
        '<path d="M50 46c12 4 12 18 0 24-12-6-12-20 0-24zm0 0v24" fill="#eef5e8"/>',
    ),
    "merino-socks": (
        "#e6e4ee",
        "#7d7ba6",
        '<path d="M40 16h22v40l14 14a9 9 0 0 1-13 13L40 62z" fill="{main}"/>'
        '<path d="M40 26h22" fill="none"/>',
    ),
    "linen-apron": (
        "#e3e7ea",
        "#66788a",
        '<path d="M40 34q10-26 20 0" fill="none" stroke-width="3"/>'
        '<path d="M38 30h24l2 18h12v36H24V48h12z" fill="{main}"/>'
        '<path d="M38 60h24v12H38z" fill="none"/>',
    ),
    "travel-backpack": (
        "#e0eae1",
        "#4f7358",
        '<path d="M40 22a10 10 0 0 1 20 0" fill="none" stroke-width="3"/>'
        '<rect x="28" y="22" width="44" height="61" rx="13" fill="{main}"/>'
        '<rect x="34" y="54" width="32" height="22" rx="5" fill="none"/><path d="M36 40h28" '
        'fill="none"/>',
    ),
    "brass-pen": (
        "#f2ebd7",
        "#c9a24a",
        '<path d="m22 80 6-14 44-44 8 8-44 44z" fill="{main}"/><path d="m64 30 8 8" fill="none"/>',
    ),
    "cotton-towel": (
        "#e2eef0",
        "#f8fbfb",
        '<rect x="24" y="26" width="52" height="56" rx="4" fill="{main}"/>'
        '<path d="M24 66h52M24 71h52M50 26q-6-10 0-12 6 2 0 12" fill="none"/>',
    ),
    "wooden-train": (
        "#f0e6dc",
        "#cf8f4d",
        '<path d="M18 66V46h34V30h22v36z" fill="{main}"/><path d="M26 46V34h10v12" fill="{ink}"/>'
        '<rect x="57" y="36" width="11" height="11" fill="#f0e6dc"/>'
        '<circle cx="30" cy="72" r="10" fill="#b3513f"/><circle cx="60" cy="72" r="10" '
        'fill="#b3513f"/>',
    ),
    "jigsaw-puzzle": (
        "#e3ecd9",
        "#6f9a5b",
        '<path d="M24 28h20a7 7 0 1 1 12 0h20v20a7 7 0 1 0 0 12v20H56a7 7 0 1 0-12 0H24V60a7 7 0 1 0 '
        '0-12z" fill="{main}"/>',
    ),
}


def main() -> None:
    """Write the files."""
    folder = Path(__file__).parent / "images"
    folder.mkdir(exist_ok=True)
    for slug, (ground, main_colour, drawing) in DRAWINGS.items():
        page = PAGE.format(
            title=slug.replace("-", " ").capitalize(),
            ground=ground,
            ink=INK,
            drawing=drawing.format(ink=INK, main=main_colour),
        )
        (folder / f"{slug}.svg").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
