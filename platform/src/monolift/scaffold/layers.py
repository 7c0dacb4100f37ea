"""Gives a module its place in the order of calls, in `.importlinter`."""

import configparser
import re

from monolift.scaffold.errors import ScaffoldError

_LAYER = re.compile(r"^[ \t]+\S")


def place(text: str, *, name: str, folder: str, above: str | None, below: str | None) -> str:
    """The file with the module in the layers of its folder; as it is when it has no such layers.

    Lowest, unless `above` or `below` names the module that its level is to be beside. Comments
    stay.
    """
    section = _order(text, folder)
    if section is None:
        if above or below:
            raise ScaffoldError(
                f".importlinter has no layers for {folder}. Leave --above and --below away."
            )
        return text
    lines = text.splitlines(keepends=True)
    start = lines.index(f"[{section}]\n")
    first = next(n for n in range(start, len(lines)) if lines[n].startswith("layers")) + 1
    last = first
    while last < len(lines) and _LAYER.match(lines[last]):
        last += 1
    neighbour = above or below
    at = last
    if neighbour:
        known = [n for n in range(first, last) if re.search(rf"\b{neighbour}\b", lines[n])]
        if not known:
            names = ", ".join(sorted(set(re.findall(r"\w+", "".join(lines[first:last])))))
            raise ScaffoldError(
                f"{neighbour!r} has no place in the order of calls. It knows: {names}."
            )
        at = known[0] if above else known[0] + 1
    indent = re.match(r"[ \t]+", lines[first]) if first < last else None
    lines.insert(at, f"{indent.group() if indent else '    '}({name})\n")
    return "".join(lines)


def _order(text: str, folder: str) -> str | None:
    """The section whose layers are the modules of a folder."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ScaffoldError(f".importlinter cannot be read: {error}.") from None
    for section in parser.sections():
        if parser.get(section, "type", fallback="") == "layers" and parser.get(
            section, "containers", fallback=""
        ).split() == [folder]:
            return section
    return None
