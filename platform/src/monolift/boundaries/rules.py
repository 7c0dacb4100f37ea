"""The rules of the guards: their names, why each exists, and how its violations are mended.

Who adds a guard adds its rules here: `monolift check --explain` and the SARIF report read them.
"""

import msgspec


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One law about couplings between modules."""

    name: str
    title: str
    """What is forbidden, in a few words."""
    why: str
    """What goes wrong where the rule is broken."""
    fix: str
    """How its violations are mended, in general."""


_RULES: dict[str, Rule] = {}


def rule(name: str, *, title: str, why: str, fix: str) -> Rule:
    """Declare a rule under a name that no other has."""
    if name in _RULES:
        raise ValueError(f"There are two rules called {name!r}.")
    made = Rule(name=name, title=title, why=why, fix=fix)
    _RULES[name] = made
    return made


def rules() -> dict[str, Rule]:
    """Every declared rule by name, in order of names."""
    return dict(sorted(_RULES.items()))
