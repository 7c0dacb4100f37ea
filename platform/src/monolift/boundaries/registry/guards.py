"""All guards that need the loaded models, in one go."""

from monolift.boundaries.project import Project
from monolift.boundaries.registry.dependencies import dependency_violations
from monolift.boundaries.registry.graph import ModelGraph
from monolift.boundaries.registry.inheritance import inheritance_violations
from monolift.boundaries.registry.operations import operation_violations
from monolift.boundaries.registry.queries import query_violations
from monolift.boundaries.registry.relations import relation_violations
from monolift.boundaries.registry.sources import Sources
from monolift.boundaries.violations import Violation


def find_violations(project: Project) -> list[Violation]:
    """What models, queries and migrations of one module have of another's: each once, sorted.

    Django must be set up. Models of apps that are no module of the project are neutral. No
    database is opened.
    """
    graph = ModelGraph(project)
    sources = Sources(project)
    first: dict[tuple[str, str, str], Violation] = {}
    for found in (
        relation_violations(graph, sources),
        inheritance_violations(graph, sources),
        query_violations(graph, sources),
        dependency_violations(graph, sources),
        operation_violations(graph, sources),
    ):
        for violation in found:
            first.setdefault(violation.identity, violation)
    return sorted(first.values())
