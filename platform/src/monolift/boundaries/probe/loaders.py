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
        module = project.by_label.get(label)
        if module is None or module.label == file.module or label not in module.app_labels:
            continue
        folder = module.folders[module.app_labels.index(label)]
        if _is_there(folder, rest.split(".")[0]):
            yield Violation(
                module=file.module,
                rule="dynamic-import",
                source=reference.source,
                target=reference.value,
                path=file.path,
                line=reference.line,
                message=f"{reference.source} names code of {module.label} by its app's label: "
                f"{reference.value!r}.",
                way_out="",
            )


def _is_there(folder: Path, part: str) -> bool:
    return (folder / f"{part}.py").is_file() or (folder / part / "__init__.py").is_file()
