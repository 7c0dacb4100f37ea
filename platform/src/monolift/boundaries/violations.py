"""What a guard finds: who crosses which boundary, where, and the way out."""

import hashlib
from pathlib import PurePosixPath

import msgspec


class Violation(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """One coupling that a rule forbids.

    Two are the same when rule, source and target are: a violation keeps its identity when lines
    move, and is counted once however many lines of its source repeat it.
    """

    module: str
    """Label of the module that must act."""
    rule: str
    """Name of the rule, as `monolift check --explain` takes it."""
    source: str
    """Dotted name of the innermost class or function that does it: `modules.orders.models.Line`."""
    target: str
    """What it reaches: a dotted name, `label.Model`, a template, a URL name."""
    path: str
    """File, relative to the project's root, with forward slashes."""
    line: int
    message: str
    """What happened, in one sentence."""
    way_out: str
    """What to do instead."""
    owner: str = ""
    """The team that owns the module."""

    @property
    def identity(self) -> tuple[str, str, str]:
        """Rule, source and target; Django writes `shop.Stock` and `shop.stock` for one model."""
        return self.rule, self.source, self.target.casefold()

    @property
    def id(self) -> str:
        """A short name for this violation, the same on every machine: `foreign-key:1f0c3a9e`."""
        return identifier(*self.identity)

    @property
    def position(self) -> str:
        """`file:line`, which editors and CI systems turn into a link."""
        return f"{PurePosixPath(self.path)}:{self.line}"


def identifier(rule: str, source: str, target: str) -> str:
    """The id of the violation with this identity."""
    digest = hashlib.sha256(f"{rule}\x00{source}\x00{target}".encode()).hexdigest()
    return f"{rule}:{digest[:8]}"
