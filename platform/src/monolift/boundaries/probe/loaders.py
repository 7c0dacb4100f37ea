"""Code that a string names by an app's label: `get_class("catalogue.forms", "ProductForm")`.

Several frameworks of Django load classes that way, so that an app can be replaced by another one
of the same label. Such a string is no dotted name, and no importer by its function's name.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from monolift.boundaries.files import SourceFile
from monolift.boundaries.project import Project
from monolift.boundaries.references import Reference
from monolift.boundaries.violations import Violation


def named_by_label(
    project: Project, file: SourceFile, references: Iterable[Reference]
) -> Iterator[Violation]:
    """The strings `label.part` of which another module's app has that label and that file."""
    for reference in references:
        if reference.kind != "dotted" or project.module_at(reference.value):
            continue
        label, _, rest = reference.value.partition(".")
        named = project.by_label.get(label)
        if named is None or label not in named.app_labels:
            continue
        place = named.app_labels.index(label)
        full = f"{named.packages[place]}.{rest}"
        module = project.module_at(full)  # an app may lie in the folder of another one
        if module is None or module.label == file.module:
            continue
        if _is_there(named.folders[place], rest.split(".")[0]):
            yield Violation(
                module=file.module,
                rule="dynamic-import",
                source=reference.source,
                target=full,
                path=file.path,
                line=reference.line,
                message=f"{reference.source} names {full} by its app's label: {reference.value!r}.",
                way_out="",
            )


def _is_there(folder: Path, part: str) -> bool:
    return (folder / f"{part}.py").is_file() or (folder / part / "__init__.py").is_file()
