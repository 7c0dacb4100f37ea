"""A contract type for import-linter: modules open transactions with monolift's `atomic()`.

`django.db.transaction` and `django.db.connection` mean the *default* database. Once a module has a
database of its own they would commit, and fail to roll back, somewhere else, silently.
import-linter cannot name a part of an external package, so this reads the syntax trees.
"""

import ast
from pathlib import Path
from typing import Any, NamedTuple, cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields
from importlinter.application.output import console
from importlinter.domain.helpers import module_expressions_to_modules

from monolift.boundaries.bindings import imported_names
from monolift.boundaries.default_database import WAYS_OUT, names_of_the_default_database
from monolift.boundaries.places import locate, shown, source_file


class Use(NamedTuple):
    """One place that names the default database."""

    path: Path
    line: int
    name: str
    way_out: str

    def sentence(self) -> str:
        """What happened, and the way out."""
        return (
            f"{shown(path=self.path)}:{self.line}: {self.name} means the default database, which "
            f"is not always the module's. {self.way_out}"
        )


def uses_of_the_default_database(*, path: Path) -> list[Use]:
    """Every place in a Python file that names Django's default database, in order of lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    names = imported_names(tree, "")
    found = {
        Use(path, line, shown_name, WAYS_OUT[name])
        for node in ast.walk(tree)
        for line, shown_name, name in names_of_the_default_database(node, names)
    }
    return sorted(found, key=lambda use: (use.line, use.name))


class OwnTransactions(Contract):
    """Modules name no database: neither `django.db.transaction` nor `django.db.connection`.

    Options:

    - `modules`: the modules, for example `modules.*`.
    """

    type_name = "own_transactions"

    modules = fields.SetField(subfield=fields.ModuleExpressionField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Read every file of every module."""
        options = cast(Any, self)
        modules = [module.name for module in module_expressions_to_modules(graph, options.modules)]
        uses: list[Use] = []
        for name in sorted(graph.modules):
            path = source_file(name=name) if locate(name=name, modules=modules) else None
            if path is not None:
                uses += uses_of_the_default_database(path=path)
        return ContractCheck(kept=not uses, metadata={"uses": uses})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line per use."""
        for use in cast("list[Use]", check.metadata["uses"]):
            console.print(use.sentence(), style="red", markup=False, soft_wrap=True)
