"""Templates of one module that use another's templates, tags or URLs."""

import re
from collections.abc import Iterator

from monolift.boundaries import static_rules
from monolift.boundaries.files import Files, SourceFile
from monolift.boundaries.violations import Violation
from monolift.boundaries.vocabulary import Vocabulary

_USES = re.compile(r"""\{%-?\s*(extends|include|url)\s+['"]([^'"]+)['"]""")


def template_violations(vocabulary: Vocabulary, files: Files) -> Iterator[Violation]:
    """`{% extends %}`, `{% include %}` and `{% url %}` across modules; a BFF may."""
    project = vocabulary.project
    for name, file in files.templates:
        if file.module in project.bff:
            continue
        text = (project.root / file.path).read_text(encoding="utf-8", errors="replace")
        seen: set[tuple[str, str]] = set()
        for match in _USES.finditer(text):
            tag, value = match.groups()
            line = text.count("\n", 0, match.start()) + 1
            found = _judged(vocabulary, file, name, tag, value, line)
            if found is not None and (tag, value) not in seen:
                seen.add((tag, value))
                yield found


def _judged(
    vocabulary: Vocabulary, file: SourceFile, name: str, tag: str, value: str, line: int
) -> Violation | None:
    if tag == "url":
        target = vocabulary.module_of_url(value)
        rule, what = static_rules.URL_NAME, f"links to {value!r}, a page"
        way_out = "Take the address from what the view is given."
    else:
        target = vocabulary.templates.get(value, "")
        rule = static_rules.TEMPLATE
        what = f"{tag.rstrip('s')}s {value!r}, a template"
        way_out = "Copy what you need, or move what all share into a template folder of no module."
    if not target or target == file.module:
        return None
    return Violation(
        module=file.module,
        owner=vocabulary.project.by_label[file.module].owner,
        rule=rule,
        source=name,
        target=value,
        path=file.path,
        line=line,
        message=f"The template {name} {what} of {target}.",
        way_out=way_out,
    )
