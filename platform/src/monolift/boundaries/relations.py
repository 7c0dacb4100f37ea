"""What stands in the place of a relation to another module's table."""

from monolift.boundaries.files import SourceFile
from monolift.boundaries.project import StaticModule
from monolift.boundaries.references import Reference


def instead_of_a_relation(*, reference: Reference, file: SourceFile, target: StaticModule) -> str:
    """The way out of a relation from a model of `file` to one of `target`."""
    label = file.package.rpartition(".")[2]
    name = reference.source.rpartition(".")[2]
    if reference.kind in {"foreign-key", "one-to-one"}:
        return (
            f"Keep the id as a plain field (`{reference.field}_id`), and ask {target.label} "
            f"through its interface: `monolift loosen {label}.{name}.{reference.field}` does the "
            "migration."
        )
    if reference.kind == "many-to-many":
        return (
            f"Keep the pairs in a table of {label} with the other side's id as a plain field, and "
            f"ask {target.label} through its interface."
        )
    return f"Ask {target.label} through its interface, with your own ids."
