"""What a module's pages and endpoints are made of, and what is left of them without a module."""

from collections.abc import Callable

from monolift.documents.facts import ModuleFacts
from monolift.documents.markdown import table
from monolift.gateway.parts import Composition, Part


def compositions(module: ModuleFacts, link: Callable[[str], str]) -> list[str]:
    """The section's blocks: none for a module that declares no composition."""
    known = module.compositions
    met = sorted({label for one in known for part in one.parts for label in part.modules})
    if not met:
        return []
    return [
        "## Compositions",
        "What is left of each when a module is silent. Any other module may be silent unnoticed.",
        table(
            ("without", *(one.name for one in known)),
            [(link(label), *(_left(one, label) for one in known)) for label in met],
        ),
    ]


def _left(composition: Composition, label: str) -> str:
    parts = [one for one in composition.parts if label in one.modules]
    if not parts:
        return "as ever"
    needed = [one for one in parts if one.needed]
    after = "503" if needed else _missing(parts)
    stands = min((one.stands_for for one in needed or parts), default=0.0)
    return f"as known for {_duration(stands)}, then {after}" if stands else after


def _missing(parts: list[Part[..., object]]) -> str:
    return ", ".join(dict.fromkeys(one.without for one in parts))


def _duration(seconds: float) -> str:
    whole, rest = divmod(seconds, 60)
    if whole and not rest:
        return f"{whole:g} minutes" if whole > 1 else "a minute"
    return f"{seconds:g} s"
