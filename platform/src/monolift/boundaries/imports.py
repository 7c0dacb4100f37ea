"""A contract type for import-linter that knows what a module is.

Its answer is nearly that of import-linter's own `independence` contract. It exists for the
sentence it prints: which line reached where, and the file to edit instead.
"""

from typing import Any, cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields
from importlinter.application import contract_utils
from importlinter.application.contract_utils import AlertLevel
from importlinter.application.output import console
from importlinter.domain.helpers import module_expressions_to_modules

from monolift.boundaries.permitted import permitted
from monolift.boundaries.places import locate
from monolift.boundaries.reach import Reach


class ModuleBoundary(Contract):
    """Everything of a module is private but `interface.py` and `events.py`.

    A foreign interface is imported in `requires.py` only, foreign events in `handlers.py` and
    `sagas.py` only. An import counts wherever it stands: in a function, under `TYPE_CHECKING`.

    Options:

    - `modules`: the modules, for example `modules.*`.
    - `ignore_imports`: imports that are accepted for now (optional).
    - `unmatched_ignore_imports_alerting`: `error` (default), `warn` or `none`, for an accepted
      import that no longer exists.
    """

    type_name = "module_boundary"

    modules = fields.SetField(subfield=fields.ModuleExpressionField())
    ignore_imports = fields.SetField(subfield=fields.ImportExpressionField(), required=False)
    unmatched_ignore_imports_alerting = fields.EnumField(AlertLevel, default=AlertLevel.ERROR)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find every import between two modules that is not permitted."""
        options = cast(Any, self)
        removed = contract_utils.remove_ignored_imports_and_report(
            graph=graph,
            ignore_imports=options.ignore_imports,
            unmatched_alerting=options.unmatched_ignore_imports_alerting,
        )
        modules = sorted(
            module.name for module in module_expressions_to_modules(graph, options.modules)
        )
        reaches: list[Reach] = []
        for name in sorted(graph.modules):
            importer = locate(name=name, modules=modules)
            if importer is None:
                continue
            for target in sorted(graph.find_modules_directly_imported_by(name)):
                imported = locate(name=target, modules=modules)
                if imported is None or imported.module == importer.module:
                    continue
                if permitted(part=importer.part, imported=imported.part):
                    continue
                lines = {
                    detail["line_number"]
                    for detail in graph.get_import_details(importer=name, imported=target)
                }
                reaches += [Reach(importer, imported, line) for line in sorted(lines)]
        return ContractCheck(
            kept=not reaches,
            warnings=list(removed.warnings),
            ignored_import_count=removed.ignored_import_count,
            metadata={"reaches": reaches},
        )

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line per import."""
        for reach in cast("list[Reach]", check.metadata["reaches"]):
            console.print(reach.sentence(), style="red", markup=False, soft_wrap=True)
